/** A repository on a real Gitea, the user that Jig is there, and what people do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Forge } from '../../forge/contract.ts';
import { createGiteaForge } from '../../forge/gitea/gitea-forge.ts';
import { makeRepository, type Files } from '../e2e/repository.ts';
import type { ForgeFixture } from '../forge/contract.ts';
import { startGitea, type GiteaServer, type GiteaUser } from './gitea-server.ts';

/** The least that Jig's token needs. */
const scopes = ['read:user', 'write:issue', 'write:repository'];

export interface GiteaFixture extends ForgeFixture {
  server: GiteaServer;
  /** The owner of the repositories. */
  acme: GiteaUser;
  /** The user that Jig is: one who may write, and no more. */
  bot: GiteaUser;
  /** With the least scopes. */
  token: string;
  folder: string;
  connect(options?: { url?: string; token?: string; name?: string; draftPrefix?: string }): Forge;
  addRepository(name: string, files: Files, options?: { private?: boolean }): Promise<string>;
  /** Pushes a commit on a branch of its own, and says what change it shall become. */
  pushWanted(): Promise<Parameters<Forge['ensureChange']>[0]>;
  /** Git in a clone of the owner's. */
  git(...args: string[]): Promise<string>;
}

const env = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** `acme/API`, whose default branch is `main`. `settings` are the server's. */
export async function createGiteaFixture({ settings }: { settings?: string } = {}): Promise<GiteaFixture> {
  const server = await startGitea(settings === undefined ? {} : { settings });
  const folder = await mkdtemp(join(tmpdir(), 'jig-gitea-work-'));
  const acme = await server.createUser('acme');
  const bot = await server.createUser('jig-bot');
  const token = await bot.createToken(scopes);
  const clone = join(folder, 'clone');
  const git = async (...args: string[]) => (await execa('git', args, { cwd: clone, env })).stdout;
  const addressOf = (name: string) => `${server.url.replace('://', `://acme:${acme.token}@`)}/${name}.git`;
  const connect: GiteaFixture['connect'] = (options) =>
    createGiteaForge({ name: 'gitea', url: server.url, ...options, token: async () => options?.token ?? token });

  const addRepository: GiteaFixture['addRepository'] = async (name, files, options) => {
    const [, short = ''] = name.split('/');
    await acme.api.user.createCurrentUserRepo({
      name: short,
      private: options?.private ?? true,
      default_branch: 'main',
    });
    await acme.api.repos.repoAddCollaborator('acme', short, 'jig-bot', { permission: 'write' });
    const path = await makeRepository(join(folder, 'sources', short), files);
    await execa('git', ['push', '--quiet', addressOf(name), 'main'], { cwd: path, env });
    // The server takes note of a first push a moment later.
    const deadlineMs = Date.now() + 20_000;
    while ((await acme.api.repos.repoGet('acme', short)).data.empty) {
      if (Date.now() > deadlineMs) throw new Error(`Gitea still calls ${name} empty`);
      await delay(20);
    }
    return name;
  };
  const repository = await addRepository('acme/API', { 'readme.txt': 'one\ntwo\nthree\n' });
  await execa('git', ['clone', '--quiet', addressOf(repository), clone], { env });

  const push: GiteaFixture['push'] = async (branch, path, content) => {
    await git('fetch', '--quiet', 'origin');
    await git('checkout', '--quiet', '--force', '-B', 'work', 'origin/main');
    await execa('tee', [path], { cwd: clone, input: content, stdout: 'ignore' });
    await git('add', '--all');
    await git('commit', '--quiet', '--message', `Change ${path}`);
    await git('push', '--quiet', 'origin', `+work:refs/heads/${branch}`);
    return git('rev-parse', 'HEAD');
  };
  let branches = 0;

  return {
    server,
    acme,
    bot,
    token,
    folder,
    repository,
    git,
    addRepository,
    connect,
    forge: connect(),
    push,
    async pushWanted() {
      const branch = `jig/wanted-${++branches}`;
      await push(branch, `wanted-${branches}.txt`, `${branches}\n`);
      return {
        repository,
        branch,
        base: 'main',
        marker: branch,
        title: 'A title',
        body: 'A body',
        draft: false,
        labels: [],
      };
    },
    async merge(number) {
      await acme.api.repos.repoMergePullRequest('acme', 'API', number, { Do: 'merge' });
    },
    async countComments(number, text) {
      const { data } = await acme.api.repos.issueGetComments('acme', 'API', number);
      return data.filter(({ body }) => body?.includes(text)).length;
    },
    async close() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
