import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import type { ModelRequest } from '../../model/contract.ts';
import { createOpenAiModel } from '../../model/openai.ts';
import { readScript } from '../../model/script.ts';
import { createScriptedModel } from '../../model/scripted.ts';
import { startScriptedServer } from '../../model/scripted-server.ts';

function question(key: string, text = 'Hello'): ModelRequest {
  return { key, messages: [{ role: 'user', content: text }] };
}

test("a step's replies come in the order of its turns, whatever was asked before", async () => {
  const replies = [
    { step: 'fix', text: 'one' },
    { step: 'other', text: 'x' },
    { step: 'fix', text: 'two' },
  ];
  const model = createScriptedModel({ script: 'v1', replies });
  assert.equal((await model.ask(question('run/fix/2'))).content, 'two');
  assert.equal((await model.ask(question('run/fix/1'))).content, 'one');
});

test("a reply is found by a pattern of the step's path and by a text in the question", async () => {
  const model = createScriptedModel({
    script: 'v1',
    replies: [
      { step: 'rewrite/*/ask', contains: 'utcnow', answer: { line: 'a' } },
      { step: 'rewrite/*/ask', contains: 'fromtimestamp', answer: { line: 'b' } },
    ],
  });
  assert.equal((await model.ask(question('run/rewrite/7/ask/1', 'x.utcfromtimestamp(0)'))).content, '{"line":"b"}');
  assert.equal((await model.ask(question('run/rewrite/0/ask/1', 'x.utcnow()'))).content, '{"line":"a"}');
});

test('a question without a reply is refused, with its key', async () => {
  const model = createScriptedModel({ script: 'v1', replies: [{ step: 'fix', text: 'one' }] });
  await assert.rejects(model.ask(question('run/fix/2')), {
    code: 'model-not-recorded',
    retryable: false,
    message: /run\/fix\/2/,
  });
});

test('the first questions get the faults, one each, and then the reply', async () => {
  const model = createScriptedModel({
    script: 'v1',
    replies: [{ text: 'ok', faults: [{ status: 429, headers: { 'retry-after': '3' } }, { cut: true }] }],
  });
  await assert.rejects(model.ask(question('run/fix/1')), { code: 'model-rate-limited', retryAfterMs: 3000 });
  await assert.rejects(model.ask(question('run/fix/1')), { code: 'model-cut-off', retryable: true });
  assert.equal((await model.ask(question('run/fix/1'))).content, 'ok');
});

test('a script is read from YAML, and an invalid one is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-script-'));
  const path = join(folder, 'script.yaml');
  await writeFile(
    path,
    'script: v1\nname: demo\nreplies:\n  - step: fix\n    calls: [{ tool: read, arguments: { path: a.py } }]\n',
  );
  const script = await readScript(path);
  assert.deepEqual(script.replies[0]?.calls, [{ tool: 'read', arguments: { path: 'a.py' } }]);
  await writeFile(path, 'script: v1\nreplys: []\n');
  await assert.rejects(readScript(path), { name: 'ZodError' });
  await rm(folder, { recursive: true });
});

test('the server gives the same answer to the same key, and the ledger counts it once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-ledger-'));
  const ledgerPath = join(folder, 'ledger.ndjson');
  await using server = await startScriptedServer(
    { script: 'v1', replies: [{ text: 'one', faults: [{ status: 500 }] }] },
    { ledgerPath },
  );
  const model = createOpenAiModel({ name: 'm', baseUrl: server.baseUrl, contextTokens: 8192, timeoutMs: 5000 });
  await assert.rejects(model.ask(question('run/fix/1')), { code: 'model-unavailable' });
  const first = await model.ask(question('run/fix/1'));
  const again = await model.ask(question('run/fix/1'));
  assert.deepEqual(again, first);
  assert.deepEqual(
    server.ledger.map((entry) => entry.outcome),
    ['fault', 'answered', 'repeated'],
  );
  const lines = (await readFile(ledgerPath, 'utf8')).trim().split('\n');
  assert.equal(lines.length, 3);
  await rm(folder, { recursive: true });
});
