import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ModelRequest } from '../../model/contract.ts';
import { createRecordedModel, createRecordingModel, Recording, type RecordingEntry } from '../../model/recorded.ts';
import { createScriptedModel } from '../../model/scripted.ts';
import { normaliseText } from '../../model/normalise-text.ts';

function question(key: string, text: string): ModelRequest {
  return { key, messages: [{ role: 'user', content: text }] };
}

async function record(questions: ModelRequest[]): Promise<Recording> {
  const entries: RecordingEntry[] = [];
  const live = createScriptedModel({ script: 'v1', replies: [{ text: 'one' }, { text: 'two' }] });
  const model = createRecordingModel(live, (entry) => void entries.push(entry));
  for (const asked of questions) await model.ask(asked);
  const recording = {
    recording: 'v1',
    model: 'some-model',
    protocol: 'json',
    contextTokens: 8192,
    recordedAt: '2026-01-01T00:00:00Z',
    entries,
  };
  return Recording.parse(JSON.parse(JSON.stringify(recording)));
}

test('a recording answers the same question in another run', async () => {
  const recording = await record([question('run-a/ask/1', 'Rewrite x')]);
  const model = createRecordedModel(recording);
  assert.deepEqual([model.source, model.name, model.protocol], ['recorded', 'some-model', 'json']);
  assert.equal((await model.ask(question('run-b/ask/1', 'Rewrite x'))).content, 'one');
});

test('a first question that differs from the recorded one is refused, and says so', async () => {
  const model = createRecordedModel(await record([question('run-a/ask/1', 'Rewrite x')]));
  await assert.rejects(model.ask(question('run-b/ask/1', 'Rewrite y')), {
    code: 'model-not-recorded',
    retryable: false,
    message: /ask\/1 is not the one/,
  });
});

test('a later turn is found by its position, and a difference is only noted', async () => {
  const noted: string[] = [];
  const recording = await record([question('run-a/fix/1', 'task'), question('run-a/fix/2', 'task, then 3 failed')]);
  const model = createRecordedModel(recording, { onDifference: (key) => noted.push(key) });
  assert.equal((await model.ask(question('run-b/fix/2', 'task, then 4 failed'))).content, 'two');
  assert.deepEqual(noted, ['fix/2']);
});

test('a question that was never recorded is refused', async () => {
  const model = createRecordedModel(await record([]));
  await assert.rejects(model.ask(question('run-b/fix/1', 'task')), { code: 'model-not-recorded' });
});

for (const [a, b] of [
  ['3 passed in 0.12s', '3 passed in 1.4s'],
  ['took 12 ms', 'took 7 ms'],
  ['File "/tmp/jig-abc123/src/a.py", line 3', 'File "/tmp/jig-zzz/w/src/a.py", line 3'],
  ['<Foo object at 0x7f3a12bc>', '<Foo object at 0x7f00aabb>'],
  ['at 2026-01-02T03:04:05.678Z', 'at 2026-11-22 18:00:00+00:00'],
] as const) {
  test(`a question is the same whether it says "${a}" or "${b}"`, () => {
    assert.equal(normaliseText(a), normaliseText(b));
  });
}

for (const [a, b] of [
  ['src/a.py:12', 'src/a.py:13'],
  ['3 failed', '4 failed'],
  ['mask = 0xff', 'mask = 0xfe'],
] as const) {
  test(`a question that says "${a}" differs from one that says "${b}"`, () => {
    assert.notEqual(normaliseText(a), normaliseText(b));
  });
}
