import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { JigError } from '../../base/errors.ts';
import { createScriptedModel } from '../../model/scripted.ts';
import { loadConfig } from '../../worker/config.ts';
import { loadRecording, recordTo } from '../../worker/recording.ts';
import { createRedact } from '../../worker/redact.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileOf(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const refused =
  (code: string, ...words: string[]) =>
  (error: unknown) =>
    error instanceof JigError && error.code === code && words.every((word) => error.message.includes(word));

test('without a configuration, every key has its default', async () => {
  assert.deepEqual(await loadConfig(undefined), await loadConfig(await fileOf('empty.yaml', '')));
  assert.equal((await loadConfig(await fileOf('slots.yaml', 'worker: { sandboxSlots: 2 }\n'))).worker.sandboxSlots, 2);
});

test('a problem in the configuration is refused, with the name of the key', async () => {
  for (const [text, ...words] of [
    ['worker: { sandboxSlot: 2 }', 'sandboxSlot'],
    ['runs: { staleAfterMs: soon }\nci: { pollMs: 1 }', 'runs.staleAfterMs', 'ci.pollMs'],
    ['sandbox: { provider: docker }', 'sandbox.provider'],
    ['worker: [', 'broken.yaml'],
    ['a: &a [x]\nb: [*a, *a]', 'broken.yaml'],
  ] as const)
    await assert.rejects(loadConfig(await fileOf('broken.yaml', text)), refused('config-invalid', ...words), text);
  await assert.rejects(loadConfig(join(folder, 'missing.yaml')), refused('config-invalid', 'missing.yaml'));
});

test('the answers of a model can be read back as a recorded session', async () => {
  const file = join(folder, 'session.json');
  const model = recordTo(
    file,
    createScriptedModel({
      script: 'v1',
      replies: [
        { contains: 'first', text: 'one' },
        { contains: 'second', text: 'two' },
      ],
    }),
  );
  const ask = (key: string, text: string) => model.ask({ key, messages: [{ role: 'user', content: text }] });
  await Promise.all([ask('run/b/1', 'first'), ask('run/a/1', 'second')]);
  const recording = await loadRecording(file);
  assert.deepEqual(
    recording.entries.map(({ key }) => key),
    ['a/1', 'b/1'],
  );
  assert.deepEqual(
    recording.entries.map(({ response }) => response.content),
    ['two', 'one'],
  );
});

test('a file that is not a recorded session is refused, with its name', async () => {
  for (const text of ['{', '{}', '[]'])
    await assert.rejects(loadRecording(await fileOf('bad.json', text)), refused('recording-invalid', 'bad.json'));
});

test('a secret of the environment is masked, also in base64 and in an address; short values are not', () => {
  const redact = createRedact({ MY_TOKEN: 'tok/secret+value', PATH: '/usr/bin/long/enough', A_KEY: 'short' });
  const encoded = Buffer.from('tok/secret+value').toString('base64');
  assert.equal(
    redact(`a tok/secret+value b ${encoded} c tok%2Fsecret%2Bvalue d /usr/bin/long/enough short`),
    'a [redacted] b [redacted] c [redacted] d /usr/bin/long/enough short',
  );
});
