/** A real Gitea on a port and in a folder of its own, with users, tokens and repositories as a test asks for them. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { giteaApi } from 'gitea-js';
import { getFreePort } from '../../worker/free-port.ts';
import { ensureGiteaProgram } from './gitea-program.ts';

type GiteaApi = ReturnType<typeof giteaApi>;

export interface GiteaUser {
  name: string;
  /** Everything that the user may do. */
  api: GiteaApi;
  token: string;
  /** A token with these scopes only. */
  createToken(scopes: string[]): Promise<string>;
}

export interface GiteaServer {
  url: string;
  admin: GiteaUser;
  createUser(name: string): Promise<GiteaUser>;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/** Starts it; the caller stops it. `settings` are added to its configuration. */
export async function startGitea({
  settings = '',
  onProgress = (line: string) => console.error(line),
} = {}): Promise<GiteaServer> {
  const program = await ensureGiteaProgram(onProgress);
  const folder = await mkdtemp(join(tmpdir(), 'jig-gitea-'));
  const port = await getFreePort();
  const url = `http://127.0.0.1:${port}`;
  const gitea = await install(program, folder, port, settings);
  const server = execa(join(program, 'gitea'), ['web', ...gitea.words], {
    env: gitea.env,
    extendEnv: false,
    stdio: 'ignore',
    reject: false,
    forceKillAfterDelay: 5000,
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await server;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const early = new AbortController();
  void server.then(() => early.abort());
  try {
    await ready(url, early.signal);
    const connect = (name: string, password: string, token: string): GiteaUser => ({
      name,
      token,
      api: giteaApi(url, { token }),
      createToken: (scopes) => createToken(url, name, password, scopes),
    });
    const admin = connect('root-admin', gitea.password, await createToken(url, 'root-admin', gitea.password, ['all']));
    return {
      url,
      admin,
      stop,
      async createUser(name) {
        const password = randomBytes(12).toString('hex');
        await admin.api.admin.adminCreateUser({
          username: name,
          email: `${name}@localhost.test`,
          password,
          must_change_password: false,
        });
        return connect(name, password, await createToken(url, name, password, ['all']));
      },
    };
  } catch (error) {
    const said = await readFile(join(folder, 'log', 'gitea.log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`Gitea did not become ready: ${said.slice(-2000)}`, { cause: error });
  }
}

/** Its configuration, database and first administrator. */
async function install(program: string, folder: string, port: number, settings: string) {
  const config = join(folder, 'app.ini');
  for (const name of ['templates', 'options', 'public']) await symlink(join(program, name), join(folder, name));
  await mkdir(join(folder, 'home'));
  await writeFile(
    config,
    [
      ...(userInfo().uid === 0 ? ['I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true'] : []),
      'RUN_MODE = prod',
      `WORK_PATH = ${folder}`,
      '[server]',
      'HTTP_ADDR = 127.0.0.1',
      `HTTP_PORT = ${port}`,
      `ROOT_URL = http://127.0.0.1:${port}/`,
      'DISABLE_SSH = true',
      'OFFLINE_MODE = true',
      '[database]',
      'DB_TYPE = sqlite3',
      `PATH = ${join(folder, 'gitea.db')}`,
      'SQLITE_JOURNAL_MODE = WAL',
      '[security]',
      'INSTALL_LOCK = true',
      'PASSWORD_HASH_ALGO = pbkdf2',
      '[webhook]',
      'ALLOWED_HOST_LIST = loopback',
      '[indexer]',
      'ISSUE_INDEXER_TYPE = db',
      '[cron]',
      'ENABLED = false',
      '[actions]',
      'ENABLED = false',
      '[service]',
      'DISABLE_REGISTRATION = true',
      '[log]',
      'MODE = file',
      'LEVEL = warn',
      settings,
      '',
    ].join('\n'),
  );
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    USER: userInfo().username,
    TMPDIR: tmpdir(),
  };
  const words = ['--config', config, '--work-path', folder];
  const password = randomBytes(12).toString('hex');
  const run = (...command: string[]) =>
    execa(join(program, 'gitea'), [...command, ...words], { env, extendEnv: false });
  await run('migrate');
  await run(
    'admin',
    'user',
    'create',
    '--admin',
    '--username',
    'root-admin',
    '--password',
    password,
    '--email',
    'root-admin@localhost.test',
    '--must-change-password=false',
  );
  return { env, words, password };
}

async function createToken(url: string, name: string, password: string, scopes: string[]): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  // The client's type lacks the scopes.
  const body = { name: randomBytes(6).toString('hex'), scopes };
  const { data } = await giteaApi(url).users.userCreateToken(name, body, { headers: { authorization } });
  if (!data.sha1) throw new Error('Gitea gave no token');
  return data.sha1;
}

async function ready(url: string, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(startTimeoutMs)]);
  while (!(await fetch(`${url}/api/healthz`, { signal }).catch(() => undefined))?.ok)
    await delay(50, undefined, { signal });
}
