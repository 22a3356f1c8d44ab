import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { pino } from 'pino';
import { readBlueprintFolder } from '../../client/read-blueprint.ts';
import { readScript, type ScriptInput } from '../../model/script.ts';
import { runLocalCi } from '../../worker/local-ci.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World, type WrittenBlueprint } from '../e2e/harness.ts';

const folder = join(import.meta.dirname, '../../docs/tutorial');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const greeter = Object.fromEntries(readdirSync(join(folder, 'greeter')).map((name) => [name, read(`greeter/${name}`)]));
/** The blueprint of a chapter, where it is a folder. */
async function readChapter(name: string): Promise<WrittenBlueprint> {
  const { bytes, files } = await readBlueprintFolder(join(folder, name));
  return { text: Buffer.from(bytes).toString(), files };
}
const tokensOf = ({ usage }: RunState): number => usage.inputTokens + usage.outputTokens;
const unittest = ['python3', '-m', 'unittest', '-q'];

/** The hand-written replies of all chapters; their steps have names of their own, or ask the same. */
async function readReplies(): Promise<ScriptInput> {
  const scripts = await Promise.all(
    ['03-agent', '04-each-and-prompt'].map((name) => readScript(join(folder, `${name}.script.yaml`))),
  );
  return { script: 'v1', replies: scripts.flatMap(({ replies }) => replies) };
}

describe('the tutorial', () => {
  let world: World;
  const stopCi = new AbortController();
  let ci: Promise<void>;
  let agentTokens = 0;
  beforeAll(async () => {
    world = await createWorld({ script: await readReplies() });
    await world.addRepository('acme/greeter', greeter);
    await world.addRepository('acme/finished', { 'greeter.py': 'def greet(name):\n    return f"Hello, {name}!"\n' });
    await world.addRepository('acme/broken', {
      ...greeter,
      'test_greeter.py': `${greeter['test_greeter.py']}\n    def test_fails_before(self):\n        self.assertEqual(count([]), "nothing")\n`,
    });
    await world.addRepository('acme/checked', greeter, unittest);
    ci = runLocalCi({ parts: world.parts, forge: world.forge, log: pino({ level: 'silent' }) }, stopCi.signal);
  });
  afterAll(async () => {
    stopCi.abort();
    await ci;
    await world[Symbol.asyncDispose]();
  });

  it('chapter 1: the run ends with what its step found', async () => {
    const found = await world.run(read('01-first-blueprint.yaml'), { repository: 'acme/greeter' });
    assert.equal(found.end.outcome, 'needs-human', found.end.reason);
    assert.match(found.end.reason, /greeter\.py:2:.*"Hello, %s!" % name/);
    const none = await world.run(read('01-first-blueprint.yaml'), { repository: 'acme/finished' });
    assert.deepEqual([none.end.outcome, none.end.reason], ['nothing-to-do', 'No old formatting is left']);
  });

  it('chapter 2: a check fails only for what passed before the change', async () => {
    for (const repository of ['acme/greeter', 'acme/broken']) {
      const { end } = await world.run(read('02-checks.yaml'), { repository });
      assert.equal(end.outcome, 'succeeded', `${repository}: ${end.reason}`);
      assert.match(end.reason, /greeter\.py \| 2/);
    }
    const { end } = await world.run(read('02-checks.yaml').replace('Hello, {name}!', 'Hallo, {name}!'), {
      repository: 'acme/greeter',
    });
    assert.deepEqual([end.outcome, end.code, end.step], ['failed', 'check-failed', 'after']);
  });

  it('chapter 3: the agent gets a second attempt, and its checks decide', async () => {
    const { end, state } = await world.run(read('03-agent.yaml'), { repository: 'acme/greeter' });
    assert.equal(end.reason, 'Done in 2 attempts: Both functions use f-strings now.');
    agentTokens = tokensOf(state);
  });

  it('chapter 4: the run asks one question for each place', async () => {
    const { end, state } = await world.run(await readChapter('04-each-and-prompt'), { repository: 'acme/greeter' });
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.equal(state.steps.filter(({ kind }) => kind === 'prompt').length, 2);
    assert.equal(state.steps.find(({ path }) => path === 'rewrite')?.note, '2 of 2 items');
    assert.ok(tokensOf(state) * 5 < agentTokens, `${tokensOf(state)} tokens, ${agentTokens} by the agent`);
  });

  it('chapter 5: the run opens one change whose checks pass, and a second run finds nothing to do', async () => {
    const { end, state } = await world.run(await readChapter('05-change-and-ci'), { repository: 'acme/checked' });
    assert.equal(end.outcome, 'succeeded', end.reason);
    const change = await world.forge.findChange('acme/checked', { number: state.change?.number ?? 0 });
    assert.match(change?.body ?? '', /rewrote 2 lines[\s\S]*### Evidence[\s\S]*2 passed, 0 failed, 0 skipped/);
    assert.match(
      await world.forge.getDiff('acme/checked', change?.number ?? 0),
      /\+ {4}return f"\{len\(items\)\} items"/,
    );
    const again = await world.run(await readChapter('05-change-and-ci'), { repository: 'acme/finished' });
    assert.equal(again.end.outcome, 'nothing-to-do');
  });

  it('makes runs that the filters of the guide find', async () => {
    const guide = readFileSync(join(folder, '../how-to/look-at-runs.md'), 'utf8');
    const filters = [...guide.matchAll(/^WorkflowType = .*$/gm)].map(([filter]) => filter);
    assert.ok(filters.length >= 4);
    for (const query of filters) await world.client.list({ query });
    const needsHuman = await world.client.list({ query: filters[0] ?? '' });
    assert.ok(needsHuman.some(({ blueprint }) => blueprint === 'find-old-formats'));
  });
});

describe('a chapter', () => {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => /^\d\d-/.test(name));
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  /** Every file of a chapter's blueprint. */
  const filesOf = (chapter: string): string[] =>
    folders.includes(chapter)
      ? readdirSync(join(folder, chapter)).map((name) => read(`${chapter}/${name}`))
      : [read(`${chapter}.yaml`)];
  const chapters = readdirSync(folder).filter((name) => /^\d\d-.*\.md$/.test(name));

  for (const chapter of chapters) {
    it(`${chapter} shows its blueprint as it is`, () => {
      const sources = filesOf(chapter.replace(/\.md$/, ''));
      const blocks = [...read(chapter).matchAll(/^```(?:yaml|python)\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
      assert.ok(blocks.length > 0);
      assert.deepEqual(
        blocks.filter((text) => !sources.some((source) => source.includes(text))),
        [],
      );
    });
  }

  it('exists for every blueprint', () => {
    const alone = entries.filter(({ name }) => /^\d\d-[a-z-]+\.yaml$/.test(name)).map(({ name }) => name.slice(0, -5));
    assert.deepEqual(
      chapters.map((name) => name.replace(/\.md$/, '')),
      [...alone, ...folders].toSorted(),
    );
  });
});
