/** A forge's repository, a trusted git with its cache, and an attacker who can write any git object. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { defaults } from '../../base/defaults.ts';
import type { ExportPolicy, GitRefusal, GitRepository } from '../../git/contract.ts';
import { createTrustedGit } from '../../git/trusted-git.ts';

export const policy: ExportPolicy = {
  maxFiles: defaults.change.maxFiles,
  maxBytes: defaults.change.maxBytes,
  protectedPaths: [...defaults.change.protectedPaths],
};
export const access = { env: {} };

/** What a test's tree is made of: content, or the id of any object. */
export interface Entry {
  name: string | Buffer;
  mode?: string;
  content?: string | Buffer;
  id?: string;
}

const env = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
  GIT_AUTHOR_DATE: '@1700000000 +0000',
  GIT_COMMITTER_DATE: '@1700000000 +0000',
};

const gitIn = (cwd: string) => async (args: string[], input?: string | Buffer) =>
  (await execa('git', args, { cwd, env, ...(input === undefined ? {} : { input }) })).stdout;

/** The order in which git wants the entries of a tree: a folder as if its name ended in a slash. */
const treeOrder = ({ name, mode }: { name: Buffer; mode: string }) =>
  mode === '40000' ? Buffer.concat([name, Buffer.from('/')]) : name;

export async function createFixture(
  files: Record<string, string | Uint8Array> = { 'a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' },
) {
  const folder = await mkdtemp(join(tmpdir(), 'jig-git-'));
  const source = join(folder, 'source');
  const origin = join(folder, 'origin.git');
  const cacheDir = join(folder, 'cache');
  await mkdir(source);
  const git = gitIn(source);
  await git(['init', '-q', '-b', 'trunk']);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  }
  await git(['add', '-A']);
  await git(['commit', '-qm', 'First']);
  await git(['clone', '-q', '--bare', source, origin]);
  const base = await git(['rev-parse', 'HEAD']);
  const baseTree = await git(['ls-tree', '-z', 'HEAD']);

  const trusted = createTrustedGit({ cacheDir });
  const repository: GitRepository = { forge: 'local', name: 'acme/api', cloneUrl: origin };
  let bundles = 0;

  /** Writes a tree as it is told, without any of git's checks. */
  const writeTree = async (entries: Entry[]): Promise<string> => {
    const made = await Promise.all(
      entries.map(async ({ name, mode = '100644', content = '', id }) => ({
        name: Buffer.from(name),
        mode,
        id: id ?? (await git(['hash-object', '-w', '--stdin'], content)),
      })),
    );
    const rows = made
      .toSorted((a, b) => Buffer.compare(treeOrder(a), treeOrder(b)))
      .map(({ name, mode, id }) =>
        Buffer.concat([Buffer.from(`${mode} `), name, Buffer.from([0]), Buffer.from(id, 'hex')]),
      );
    return git(['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], Buffer.concat(rows));
  };
  const bundleTree = async (tree: string): Promise<string> => {
    const path = join(folder, `hostile-${++bundles}.bundle`);
    const commit = await git(['commit-tree', tree, '-p', base], 'hostile\n');
    await git(['update-ref', 'refs/heads/export', commit]);
    await git(['bundle', 'create', '-q', path, `${base}..refs/heads/export`]);
    return path;
  };

  return {
    folder,
    source,
    origin,
    cacheDir,
    git,
    gitIn,
    base,
    trusted,
    repository,
    writeTree,
    bundleTree,
    /** A bundle of the base's files and these. */
    async bundleOf(entries: Entry[]) {
      const rows = baseTree
        .split('\0')
        .filter(Boolean)
        .map((row): Entry => {
          const [, mode, id, name] = /^0?(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(row) ?? [];
          return { mode: mode ?? '', id: id ?? '', name: name ?? '' };
        });
      const names = new Set(entries.map(({ name }) => name.toString('latin1')));
      return bundleTree(
        await writeTree([...rows.filter(({ name }) => !names.has(name.toString('latin1'))), ...entries]),
      );
    },
    quarantine: (bundlePath: string, more: Partial<ExportPolicy> = {}, from = base) =>
      trusted.quarantine({
        repository,
        base: from,
        bundlePath,
        policy: { ...policy, ...more },
        message: 'Use aware datetimes',
        author: { name: 'Jig', email: 'jig@example.com' },
        date: '2026-01-02T03:04:05Z',
        key: 'run/1/change',
      }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;

/** @throws where a bundle of the base's files and these is not refused as `code`, for these paths where they are given */
export async function checkRefused(
  fixture: Fixture,
  entries: Entry[],
  code: string,
  paths?: string[],
  more: Partial<ExportPolicy> = {},
): Promise<void> {
  await assert.rejects(fixture.quarantine(await fixture.bundleOf(entries), more), (error: GitRefusal) => {
    assert.deepEqual([error.name, error.code], ['GitRefusal', code], `${JSON.stringify(entries)}: ${error.message}`);
    if (paths) assert.deepEqual(error.paths, paths);
    return true;
  });
}

/** The arguments of the checkout of a base, which is `trunk`. */
export function checkoutArguments(base: string, branch = 'work', name = 'A', email = 'a@example.com'): string[] {
  return [base, branch, name, email, 'trunk', base, 'file:///nonexistent/acme/api.git'];
}

/** Runs a script as a sandbox would: in the workspace, with an input file, its output kept. */
export async function runScript(
  workspace: string,
  script: string,
  args: string[],
  options: { inputFile?: string; env?: Record<string, string> } = {},
) {
  await mkdir(workspace, { recursive: true });
  const result = await execa('sh', ['-c', script, 'jig', ...args], {
    cwd: workspace,
    reject: false,
    encoding: 'buffer',
    env: { HOME: workspace, ...options.env },
    ...(options.inputFile === undefined ? { stdin: 'ignore' as const } : { inputFile: options.inputFile }),
  });
  return {
    exitCode: result.exitCode,
    stdout: Buffer.from(result.stdout),
    stderr: Buffer.from(result.stderr).toString(),
  };
}
