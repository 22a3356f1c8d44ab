/** That a workspace is copied exactly, in the sandboxes of any provider, and that they live on while they are renewed. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { execa } from 'execa';
import fc from 'fast-check';
import { copyWorkspace, restoreWorkspace } from '../../activities/sandbox-copies.ts';
import { exportScript, systemScript } from '../../git/sandbox-scripts.ts';
import type { Sandbox, SandboxProvider } from '../../sandbox/contract.ts';
import { mebibyte, runShell, sandboxSpec, shell, temporaryFolder } from './fixtures.ts';
import { lookScript, oddChanges, preparedScript, tellScript } from './odd-trees.ts';

const bounds = { maxBytes: 64 * mebibyte, ignoredMaxBytes: 64 * mebibyte };
/** @param createProvider as for `sandboxContract`. @param cases trees that are made at random; more by `JIG_TEST_COPIES`. */
export function copyContract(
  name: string,
  createProvider: () => Promise<{ provider: SandboxProvider; close: () => Promise<void> }>,
  cases = 2,
): void {
  describe(`${name}: leases and copies`, () => {
    let provider: SandboxProvider;
    let close: () => Promise<void>;
    let from: Sandbox;
    let to: Sandbox;
    let base = '';
    beforeAll(async () => {
      ({ provider, close } = await createProvider());
      from = await provider.ensureSandbox(sandboxSpec('run/acme/from'));
      to = await provider.ensureSandbox(sandboxSpec('run/acme/to'));
      base = await prepare(from);
    });
    afterAll(async () => {
      for (const id of ['run/acme/from', 'run/acme/to']) await provider.destroySandbox(id);
      await close();
    });

    const copy = async (limits: Partial<typeof bounds> = {}) =>
      await copyWorkspace(from, { key: nextKey(), base, ...bounds, ...limits });
    const restore = async (path: string): Promise<void> => {
      await prepare(to);
      const result = await restoreWorkspace(to, { key: nextKey(), path });
      assert.equal(result.exitCode, 0, await readFile(result.stderr.path, 'utf8'));
    };
    const copyOver = async (limits: Partial<typeof bounds> = {}): Promise<string> => {
      const { path, reason } = await copy(limits);
      assert.ok(path, reason);
      await restore(path);
      return path;
    };

    it('a sandbox has the requested lease, until it is renewed', async () => {
      const id = 'run/acme/leased';
      const leftMs = async () => {
        const listed = (await provider.listSandboxes()).find((each) => each.id === id);
        return Date.parse(listed?.leasedUntil ?? '') - Date.now();
      };
      assert.equal(await provider.renewSandbox(id, 3_600_000), false);
      await provider.ensureSandbox(sandboxSpec(id, { leaseMs: 600_000 }));
      assert.ok(Math.abs((await leftMs()) - 600_000) < 120_000);
      assert.deepEqual(await Promise.all([1, 2, 3].map(() => provider.renewSandbox(id, 3_600_000))), [
        true,
        true,
        true,
      ]);
      assert.ok(Math.abs((await leftMs()) - 3_600_000) < 60_000);
      await provider.destroySandbox(id);
      assert.equal(await provider.renewSandbox(id, 3_600_000), false);
    });

    it('a restored copy is exactly the workspace, or all of it except the ignored files', async () => {
      await fc.assert(
        fc.asyncProperty(oddChanges, async (changes) => {
          await prepare(from);
          const { stdout: seen } = await runSystem(from, `${changes}\n${lookScript}`);
          const copies = [await copy(), await copy({ ignoredMaxBytes: 0 })];
          const { stdout: seenAfter } = await runSystem(from, lookScript);
          assert.deepEqual(differences(seenAfter, seen), [], 'the copying changed the workspace');
          const told = await tell(from, base);
          for (const { path, reason } of copies) {
            assert.ok(path, reason);
            await restore(path);
            assert.deepEqual(differences(await tell(to, base), told, await leftOutOf(path)), []);
          }
        }),
        { numRuns: Number(process.env['JIG_TEST_COPIES'] ?? cases), endOnFailure: true },
      );
    });

    it('if a copy lacks ignored files, those that setup made stay, unless the run had removed them', async () => {
      await prepare(from);
      await runShell(
        from,
        nextKey(),
        'echo changed >ignored/setup; rm dir/setup.log; echo more >more.log; echo "ours/" >>.gitignore; mkdir ours; echo x >ours/x; chmod 0 ours; chmod 0 ignored/setup',
      );
      await copyOver({ ignoredMaxBytes: 1 });
      const { stdout } = await runShell(
        to,
        nextKey(),
        'cat ignored/setup ignored/tracked dir/.cache/x .gitignore; ls -d dir/setup.log more.log ours ignored/deep/empty 2>/dev/null; stat -c %a ignored/deep',
      );
      // In a pod, new folders have their volume's set-group-id bit.
      assert.match(
        stdout,
        /^setup\nignored\/tracked\ncached\nignored\/\n\*\.log\nours\/\nignored\/deep\/empty\n2?555\n$/,
      );
    });

    it('git sees that a restored workspace has not changed, without reading its files', async () => {
      await prepare(from);
      await copyOver();
      // In a pod, the workspace isn't the user's own, and git wants to be told that this is meant.
      const { result } = await runShell(to, nextKey(), "git -c safe.directory='*' diff-files --quiet");
      assert.equal(result.exitCode, 0);
    });

    it('a workspace over the limit is not copied, and the reason gives its size', async () => {
      await prepare(from);
      await runShell(from, nextKey(), 'head -c 3000000 /dev/urandom >large');
      const { path, sizeBytes, reason } = await copy({ maxBytes: 2 * mebibyte });
      assert.equal(path, undefined);
      assert.ok(sizeBytes >= 3_000_000 && sizeBytes < 4_000_000);
      assert.match(reason ?? '', /The workspace has \d+ bytes, but a copy may have at most 2097152/);
      await runShell(from, nextKey(), 'mv large large.log');
      const without = await copy({ maxBytes: 2 * mebibyte });
      assert.equal(without.ignored, 'left-out');
      assert.ok(without.path !== undefined && (await stat(without.path)).size < mebibyte);
    });

    it('a workspace whose git folder is elsewhere is not copied', async () => {
      for (const move of [
        'mv .git "$HOME/elsewhere"; ln -s "$HOME/elsewhere" .git',
        'echo /objects >.git/objects/info/alternates',
      ]) {
        await prepare(from);
        await runShell(from, nextKey(), `rm -rf "$HOME/elsewhere"; ${move}`);
        assert.match((await copy()).reason ?? '', /outside of the workspace/);
      }
    });

    it('programs and git settings that a run left behind are not used', async () => {
      await prepare(from);
      await runShell(
        from,
        nextKey(),
        `for name in fsmonitor filter.x.clean filter.x.smudge filter.x.process; do git config "$name" 'touch ran'; done
        git config core.fsmonitor 'touch "$HOME/ran"'; git config core.hooksPath /work/hooks
        git config filter.x.required true; echo '* filter=x' >.gitattributes; echo x >>a; echo new >new
        mkdir -p "$HOME/.config/git" "$HOME/.local/bin"; echo '*' >"$HOME/.config/git/ignore"
        for name in sh env git tar find du sed sort gzip mktemp xargs; do
          printf '#!/bin/sh\\ntouch "$HOME/ran"\\nexit 9\\n' >"$HOME/.local/bin/$name"
          chmod 755 "$HOME/.local/bin/$name"
        done`,
      );
      const committed = await exported(from, base);
      await copyOver({ ignoredMaxBytes: 0 });
      assert.equal(await exported(to, base), committed);
      const { stdout } = await runSystem(from, 'ls -a . "$1"', '/home/agent');
      assert.doesNotMatch(stdout, /^ran$/m);
      await runSystem(from, 'rm -rf "$1/.local" "$1/.config"', '/home/agent');
    });

    it('an incomplete copy replaces nothing', async () => {
      await prepare(from);
      const { path } = await copy();
      await using folder = await temporaryFolder();
      const half = join(folder.path, 'half');
      await writeFile(half, (await readFile(path ?? '')).subarray(0, 1500));
      await prepare(to);
      const { stdout: seen } = await runSystem(to, lookScript);
      assert.notEqual((await restoreWorkspace(to, { key: nextKey(), path: half })).exitCode, 0);
      assert.equal((await runSystem(to, lookScript)).stdout, seen);
    });
  });
}

let keys = 0;
const nextKey = (): string => `copies/${(keys += 1)}`;

/** Runs a script by the system's programs alone. */
async function runSystem(sandbox: Sandbox, script: string, ...args: string[]) {
  const result = await sandbox.run({ ...shell(nextKey(), ''), argv: systemScript(script, ...args) });
  return { result, stdout: await readFile(result.stdout.path, 'latin1') };
}

/** @returns the base commit */
async function prepare(sandbox: Sandbox): Promise<string> {
  return (await runSystem(sandbox, preparedScript)).stdout.trim();
}

const tell = async (sandbox: Sandbox, base: string): Promise<string> =>
  (await runSystem(sandbox, tellScript, exportScript, base)).stdout;

/** The commit that an export hands over. */
async function exported(sandbox: Sandbox, base: string): Promise<string> {
  const { stdout } = await runSystem(sandbox, exportScript, base);
  const commit = /^[0-9a-f]{40} refs\/heads\/export$/m.exec(stdout)?.[0];
  assert.ok(commit);
  return commit;
}

/** The ignored paths that a copy lacks. */
async function leftOutOf(path: string): Promise<string[]> {
  const { stdout } = await execa('tar', ['-xzOf', path, 'left-out'], { encoding: 'buffer' });
  return Buffer.from(stdout).toString('latin1').split('\0').filter(Boolean);
}

/** What is told of one workspace alone, but for these paths and what is in them. */
function differences(there: string, here: string, paths: string[] = []): string[] {
  const isOf = (line: string, path: string): boolean => {
    const plain = path.replace(/\/$/, '');
    return (
      [`./${plain}`, `! ${plain}`, `! ${plain}/`].some((end) => line.endsWith(end)) || line.includes(`./${plain}/`)
    );
  };
  // Git tells of a folder that holds only ignored files as of an ignored one.
  const isIgnored = (line: string): boolean =>
    paths.length > 0 && (line.startsWith('! ') || paths.some((path) => isOf(line, path)));
  // A file may have another name among the ignored ones.
  const compared = (line: string): string => (paths.length > 0 ? line.replace(/^(f \d+ \d+ [\d.]+) \d+/, '$1') : line);
  const lines = [there, here].map((told) =>
    told
      .split('\0')
      .filter((line) => !isIgnored(line))
      .map(compared),
  );
  const only = (from: string[] = [], others: string[] = [], mark: string): string[] => {
    const known = new Set(others);
    return from.filter((line) => !known.has(line)).map((line) => `${mark} ${line}`);
  };
  return [...only(lines[0], lines[1], '+'), ...only(lines[1], lines[0], '-')];
}
