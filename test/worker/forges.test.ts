import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { JigError } from '../../base/errors.ts';
import { Config } from '../../worker/config.ts';
import { createForges } from '../../worker/forges.ts';
import { createRedact } from '../../worker/redact.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-forges-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const url = 'https://git.example.com';
const open = (forges: unknown, env: Record<string, string> = {}) => createForges(Config.parse({ forges }).forges, env);
const refused =
  (...words: string[]) =>
  (error: unknown) =>
    error instanceof JigError && error.code === 'config-invalid' && words.every((word) => error.message.includes(word));

test('a forge has the name from the configuration, and git uses its configured address', async () => {
  const {
    forges: [forge],
  } = await open({ git: { kind: 'gitea', url: `${url}/code/` } }, { JIG_GITEA_TOKEN: 'secret-token' });
  assert.equal(forge?.name, 'git');
  const { env } = await forge.gitAccess({
    forge: 'git',
    name: 'acme/api',
    cloneUrl: `${url}/code/acme/api.git`,
    defaultBranch: 'main',
    archived: false,
    empty: false,
  });
  assert.equal(env['GIT_CONFIG_KEY_0'], `http.${url}/code/.extraHeader`);
});

test('a forge that is misspelt, unsafe or without a token is refused, with its name', async () => {
  for (const forges of [
    { local: { kind: 'gitea', url } },
    { Git: { kind: 'gitea', url } },
    { git: { kind: 'svn', url } },
    { git: { kind: 'gitea' } },
    { git: { kind: 'gitea', url, token: 'secret-token' } },
  ]) {
    assert.equal(Config.safeParse({ forges }).success, false, JSON.stringify(forges));
  }
  await assert.rejects(open({ git: { kind: 'gitea', url } }), refused('git', 'JIG_GITEA_TOKEN'));
  await assert.rejects(
    open({ git: { kind: 'gitea', url, tokenEnv: 'OTHER' } }, { OTHER: 'two\nlines-of-it' }),
    refused('git', 'OTHER'),
  );
  await assert.rejects(open({ git: { kind: 'gitea', url, tokenFile: join(folder, 'none') } }), refused('git', 'none'));
  const env = { JIG_GITEA_TOKEN: 'secret-token' };
  for (const unsafe of [
    'http://git.example.com',
    'https://me:secret@git.example.com',
    'ssh://git.example.com',
    'git.example.com',
    'https://git.example.com/?a',
  ])
    await assert.rejects(open({ git: { kind: 'gitea', url: unsafe } }, env), refused('git'), unsafe);
  for (const safe of ['http://127.0.0.1:3000', 'http://localhost', 'http://[::1]:3000/gitea'])
    assert.equal((await open({ git: { kind: 'gitea', url: safe } }, env)).forges.length, 1, safe);
  assert.equal(
    (await open({ git: { kind: 'gitea', url: 'http://git.example.com', allowHttp: true } }, env)).forges.length,
    1,
  );
});

test('a token is masked, also in the form in which git sends it; a token in a file is read again for each use', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'first-secret\n');
  const {
    forges: [forge],
    secrets,
  } = await open({ git: { kind: 'gitea', url, tokenFile } });
  assert.ok(forge);
  const access = async () =>
    (
      await forge.gitAccess({
        forge: 'git',
        name: 'acme/api',
        cloneUrl: '',
        defaultBranch: 'main',
        archived: false,
        empty: false,
      })
    ).env['GIT_CONFIG_VALUE_0'] ?? '';
  const header = await access();
  assert.equal(Buffer.from(header.replace('Authorization: Basic ', ''), 'base64').toString(), 'ji:first-secret');
  const redact = createRedact({}, secrets);
  assert.equal(
    redact(`first-secret ${header}`),
    `[redacted] Authorization: Basic ${Buffer.from('ji:').toString('base64')}[redacted]`,
  );
  await writeFile(tokenFile, 'second-secret\n');
  assert.match(
    Buffer.from((await access()).replace('Authorization: Basic ', ''), 'base64').toString(),
    /second-secret/,
  );
});
