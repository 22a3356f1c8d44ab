import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { createLocalForge } from '../../forge/local/local-forge.ts';
import type { ForgeFixture } from './contract.ts';

const env = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** A local forge with `acme/api`, imported from a repository whose default branch is `trunk`. */
export async function createLocalFixture() {
  const folder = await mkdtemp(join(tmpdir(), 'jig-forge-'));
  const source = join(folder, 'source');
  const git = async (...args: string[]) => (await execa('git', args, { cwd: source, env })).stdout;
  await mkdir(source);
  await git('init', '-q', '-b', 'trunk');
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  };
  await write('readme.txt', 'one\ntwo\nthree\n');
  await git('add', '-A');
  await git('commit', '-qm', 'First');
  const rootDir = join(folder, 'forge');
  const forge = createLocalForge({ rootDir });
  const repository = 'acme/api';
  await forge.ensureRepository({ name: repository, source });

  const fixture = {
    forge,
    repository,
    rootDir,
    source,
    git,
    async push(branch: string, path: string, content: string) {
      const { cloneUrl, defaultBranch } = await forge.getRepository(repository);
      await git('checkout', '-q', '--force', '-B', 'work', 'trunk');
      await git('fetch', '-q', cloneUrl, `+refs/heads/*:refs/remotes/forge/*`);
      await git('reset', '-q', '--hard', `forge/${defaultBranch}`);
      await write(path, content);
      await git('add', '-A');
      await git('commit', '-qm', `Change ${path}`);
      await git('push', '-q', cloneUrl, `+work:refs/heads/${branch}`);
      return git('rev-parse', 'HEAD');
    },
    async merge(number: number) {
      await forge.approve(repository, number, 'ada');
      await forge.merge(repository, number, 'ada');
    },
    countComments: async (number: number, text: string) =>
      (await forge.listComments(repository, number)).filter(({ body }) => body.includes(text)).length,
    close: () => rm(folder, { recursive: true, force: true }),
  };
  return fixture satisfies ForgeFixture;
}
