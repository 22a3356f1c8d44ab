/** What every code host must do for Jig: one suite, run against each of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Forge } from '../../forge/contract.ts';

/** A forge with one repository that has one commit, and what people do there. */
export interface ForgeFixture {
  forge: Forge;
  repository: string;
  /** Pushes a branch with one commit on top of the default branch; returns the commit. */
  push(branch: string, path: string, content: string): Promise<string>;
  merge(number: number): Promise<void>;
  /** Whether a comment with this text stands on the change, and how often. */
  countComments(number: number, text: string): Promise<number>;
  close(): Promise<void>;
}

export function forgeContract(name: string, createFixture: () => Promise<ForgeFixture>): void {
  describe(`the forge contract: ${name}`, () => {
    let fixture: ForgeFixture;
    let forge: Forge;
    let repository: string;
    let branches = 0;
    beforeAll(async () => {
      fixture = await createFixture();
      ({ forge, repository } = fixture);
    });
    afterAll(() => fixture.close());

    const pushed = async () => {
      const branch = `jig/change-${++branches}`;
      const headCommit = await fixture.push(branch, `file-${branches}.txt`, `content ${branches}\n`);
      const { defaultBranch } = await forge.getRepository(repository);
      return {
        headCommit,
        wanted: {
          repository,
          branch,
          base: defaultBranch,
          marker: `run-${branches}`,
          title: 'A title',
          body: 'A body',
          draft: true,
          labels: ['jig'],
        },
      };
    };

    it('a repository is described without credentials in its address', async () => {
      const found = await forge.getRepository(repository);
      assert.deepEqual(
        { forge: found.forge, name: found.name, archived: found.archived, empty: found.empty },
        { forge: forge.name, name: repository, archived: false, empty: false },
      );
      assert.doesNotMatch(found.cloneUrl, /^[a-z]+:\/\/[^/]*@/);
    });

    it('a repository that does not exist is not-found', async () => {
      await assert.rejects(forge.getRepository('nobody/nothing'), { name: 'ForgeFailure', code: 'forge-not-found' });
    });

    it('a change is opened as it was requested', async () => {
      const { headCommit, wanted } = await pushed();
      const change = await forge.ensureChange(wanted);
      assert.deepEqual(
        { ...change, number: 0, url: '' },
        {
          number: 0,
          url: '',
          state: 'open',
          draft: forge.capabilities.drafts,
          title: 'A title',
          body: wanted.body,
          branch: wanted.branch,
          base: wanted.base,
          headCommit,
          labels: forge.capabilities.labels ? ['jig'] : [],
        },
      );
      assert.match(change.url, /^(https?|file):\/\//);
    });

    it('a change that is requested ten times at once, and then again, is one change', async () => {
      const { wanted } = await pushed();
      const [first] = await Promise.all(Array.from({ length: 10 }, () => forge.ensureChange(wanted)));
      assert.ok(first);
      const again = await Promise.all(Array.from({ length: 10 }, () => forge.ensureChange(wanted)));
      assert.deepEqual(new Set(again.map(({ number }) => number)), new Set([first.number]));
      assert.equal((await forge.listChanges(repository)).filter(({ branch }) => branch === wanted.branch).length, 1);
    });

    it('a change can be updated with a new title, body and draft state', async () => {
      const { wanted } = await pushed();
      await forge.ensureChange(wanted);
      const updated = await forge.ensureChange({
        ...wanted,
        title: 'Another title',
        body: 'Another body',
        draft: false,
      });
      assert.deepEqual([updated.title, updated.body, updated.draft], ['Another title', 'Another body', false]);
      assert.deepEqual(await forge.findChange(repository, { number: updated.number }), updated);
    });

    it('a change is found by its branch and by its number', async () => {
      const { wanted } = await pushed();
      const { number } = await forge.ensureChange(wanted);
      assert.equal((await forge.findChange(repository, { branch: wanted.branch }))?.number, number);
      assert.equal((await forge.findChange(repository, { number }))?.branch, wanted.branch);
      assert.equal(await forge.findChange(repository, { branch: 'jig/nothing' }), undefined);
      assert.equal(await forge.findChange(repository, { number: 999_999 }), undefined);
    });

    it('an open change of another run on the same branch is a conflict', async () => {
      const { wanted } = await pushed();
      await forge.ensureChange(wanted);
      await assert.rejects(forge.ensureChange({ ...wanted, marker: 'another-run' }), {
        name: 'ForgeFailure',
        code: 'forge-conflict',
      });
    });

    it('a change is a draft only if that was requested, whatever its title says', async () => {
      const { wanted } = await pushed();
      const { title, draft } = await forge.ensureChange({ ...wanted, title: 'WIP: [WIP] A title', draft: false });
      assert.equal(draft, false);
      assert.match(title, /A title$/);
    });

    it("no text counts as another run's marker", async () => {
      const { wanted } = await pushed();
      await forge.ensureChange(wanted);
      const { wanted: other } = await pushed();
      // What a host keeps of the first, as far as it shows it.
      const hostile = `<!-- jig:${createHash('sha256').update(wanted.marker).digest('hex').slice(0, 32)} -->\n\n${wanted.marker}`;
      const change = await forge.ensureChange({ ...other, body: hostile });
      assert.match(change.body, /jig:/);
      assert.notEqual((await forge.ensureChange(wanted)).number, change.number);
    });

    it('titles, bodies and comments notify nobody, close nothing and load nothing', async () => {
      const { wanted } = await pushed();
      const hostile =
        '@everyone closes #1 fixes acme/api#1 ![x](https://evil.example/?d=1) <img src="https://evil.example/"> [[https://evil.example/x.png]] a\u200bb\u202ec';
      const change = await forge.ensureChange({ ...wanted, title: hostile, body: hostile });
      const expected =
        '@ everyone closes # 1 fixes acme/api# 1 ! [x](https://evil.example/?d=1) < img src="https://evil.example/"> [ [https://evil.example/x.png]] abc';
      assert.deepEqual([change.title, change.body], [expected, expected]);
      await forge.ensureComment({ repository, number: change.number, marker: 'hostile', body: hostile });
      assert.equal(await fixture.countComments(change.number, expected), 1);
      await forge.closeChange(repository, change.number, hostile);
    });

    it('a comment with a marker is written once and then updated', async () => {
      const { wanted } = await pushed();
      const { number } = await forge.ensureChange(wanted);
      const comment = { repository, number, marker: 'ci-round-1', body: 'The first round failed.' };
      await Promise.all([forge.ensureComment(comment), forge.ensureComment(comment), forge.ensureComment(comment)]);
      await forge.ensureComment(comment);
      assert.equal(await fixture.countComments(number, 'The first round failed.'), 1);
      await forge.ensureComment({ ...comment, body: 'The first round passed.' });
      assert.equal(await fixture.countComments(number, 'The first round failed.'), 0);
      assert.equal(await fixture.countComments(number, 'The first round passed.'), 1);
    });

    it('a change that a person merged stays merged, is not opened again and can’t be closed', async () => {
      const { wanted, headCommit } = await pushed();
      const { number } = await forge.ensureChange({ ...wanted, draft: false });
      await fixture.merge(number);
      const change = await forge.ensureChange({ ...wanted, title: 'Too late' });
      assert.deepEqual(
        [change.number, change.state, change.title, change.headCommit],
        [number, 'merged', 'A title', headCommit],
      );
      assert.equal((await forge.closeChange(repository, number, 'too late')).state, 'merged');
    });

    it('a closed change is closed, and closing it again changes nothing', async () => {
      const { wanted } = await pushed();
      const { number } = await forge.ensureChange(wanted);
      const closed = await forge.closeChange(repository, number, 'superseded');
      assert.equal(closed.state, 'closed');
      assert.deepEqual(await forge.closeChange(repository, number, 'superseded'), closed);
      const listed = await forge.listChanges(repository, { state: 'closed' });
      assert.ok(
        listed.some((change) => change.number === number) && listed.every((change) => change.state === 'closed'),
      );
    });

    it('a commit that nobody checked has no checks', async () => {
      assert.deepEqual(await forge.listChecks(repository, '0'.repeat(40)), []);
    });
  });
}
