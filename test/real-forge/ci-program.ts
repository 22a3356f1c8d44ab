/**
 * A CI for tests, as anybody could run one beside Gitea: it takes the webhook of a push, checks its signature, clones
 * the repository, runs the repository's check and posts commit statuses.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { GiteaUser } from './gitea-server.ts';

const Push = z.object({
  ref: z.string().startsWith('refs/heads/'),
  after: z.string().regex(/^[0-9a-f]{40}$/),
  repository: z.object({ full_name: z.string() }),
});
type Push = z.infer<typeof Push>;

export interface CiProgram {
  /** Adds its webhook to the repository, and runs this check for each push. */
  watch(repository: string, check: string[]): Promise<void>;
  /** Where deliveries are taken. */
  url: string;
  /** Commits that were checked, in order. */
  checked: string[];
  stop(): Promise<void>;
}

const context = 'ci/check';

export async function startCi(gitea: string, user: GiteaUser): Promise<CiProgram> {
  const secret = randomBytes(16).toString('hex');
  const checks = new Map<string, string[]>();
  const checked: string[] = [];
  // One job after the other; the last one is waited for at the end.
  let jobs: Promise<unknown> = Promise.resolve();
  const runNext = async (before: Promise<unknown>, push: Push, check: string[]): Promise<void> => {
    await before;
    await runJob(gitea, user, push, check);
    checked.push(push.after);
  };
  const server = createServer((request, response) => {
    void (async () => {
      const push = verify(await readBody(request), request.headers['x-gitea-signature'], secret);
      response.writeHead(push ? 202 : 401).end();
      const check = push && checks.get(push.repository.full_name);
      if (!push || !check || /^0+$/.test(push.after)) return;
      jobs = runNext(jobs, push, check);
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}/`;
  return {
    url,
    checked,
    async watch(repository, check) {
      const [owner = '', name = ''] = repository.split('/');
      checks.set(repository, check);
      await user.api.repos.repoCreateHook(owner, name, {
        type: 'gitea',
        active: true,
        events: ['push'],
        config: { url, content_type: 'json', secret },
      });
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await jobs;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** The push, where its signature is the server's. */
function verify(body: Buffer, signature: string | string[] | undefined, secret: string): Push | undefined {
  const wanted = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(typeof signature === 'string' ? signature : '', 'hex');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  const parsed = Push.safeParse(JSON.parse(body.toString()));
  return parsed.success ? parsed.data : undefined;
}

async function runJob(
  gitea: string,
  user: GiteaUser,
  { after, repository }: Push,
  [program = 'true', ...words]: string[],
): Promise<void> {
  const [owner = '', name = ''] = repository.full_name.split('/');
  const post = (state: 'pending' | 'success' | 'failure', description: string) =>
    user.api.repos.repoCreateStatus(owner, name, after, {
      context,
      state,
      description,
      target_url: `${gitea}/${repository.full_name}`,
    });
  await post('pending', 'The check runs');
  const folder = await mkdtemp(join(tmpdir(), 'jig-ci-'));
  try {
    const env = {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${gitea}/.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`ci:${user.token}`).toString('base64')}`,
    };
    await execa('git', ['clone', '--quiet', `${gitea}/${repository.full_name}.git`, folder], { env });
    await execa('git', ['checkout', '--quiet', after], { cwd: folder, env });
    const ran = await execa(program, words, { cwd: folder, reject: false, all: true, timeout: 60_000 });
    await post(ran.failed ? 'failure' : 'success', ran.all.slice(-1000));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
