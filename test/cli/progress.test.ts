import assert from 'node:assert/strict';
import { test } from 'vitest';
import { errorPages } from '../../base/errors.ts';
import { renderEnding, renderUsage } from '../../cli/ending.ts';
import { createPaint, hasColors, oneLine, printable, table } from '../../cli/output.ts';
import { createProgress } from '../../cli/progress.ts';
import { stepsNamed } from '../../cli/logs.ts';
import type { Question, RunState, StepRow } from '../../workflows/messages.ts';

const paint = createPaint(false);
const nothing = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0 };

function state(more: Partial<RunState>): RunState {
  return {
    runId: 'run/local/api/aware/9742',
    blueprint: { name: 'aware', title: 'Aware datetimes', sha256: 'a'.repeat(64) },
    repository: { forge: 'local', name: 'local/api', branch: 'main', commit: '1a2b3c4d5e' },
    requester: 'Ann',
    model: 'qwen (recorded)',
    phase: 'running',
    revision: 0,
    startedAtMs: 0,
    steps: [],
    questions: [],
    usage: nothing,
    ...more,
  };
}

let rows = 0;

function row(path: string, kind: string, more: Partial<StepRow> = {}): StepRow {
  return { number: (rows += 1), path, kind, title: path, state: 'running', startedAtMs: 1000, ...more };
}

function done(path: string, kind: string, more: Partial<StepRow> = {}): StepRow {
  return row(path, kind, { state: 'succeeded', durationMs: 300, ...more });
}

test('each step that ended gives one line, however often the state is seen', () => {
  const progress = createProgress({ paint });
  assert.deepEqual(
    progress.update(state({ repository: { forge: 'local', name: 'local/api', branch: '', commit: '' } })),
    [],
  );
  const first = state({ steps: [row('survey', 'run')] });
  assert.deepEqual(progress.update(first), [
    'Aware datetimes on local/api main 1a2b3c4d\nrun/local/api/aware/9742 · blueprint aaaaaaaaaaaa · model qwen (recorded)',
    '✓ open              mirror      1.0 s',
  ]);
  assert.equal(progress.live(4200), '▸ survey  3.2 s');
  const second = state({
    steps: [
      done('survey', 'run', { note: '12 found' }),
      row('tests', 'check', { state: 'failed', durationMs: 65_000, note: 'pytest -q: exit code 1' }),
      row('end', 'end', { state: 'skipped', startedAtMs: 2000, durationMs: 0, note: 'its condition is false' }),
    ],
  });
  assert.deepEqual(progress.update(second), [
    '✓ survey            run         0.3 s  12 found',
    '– end               end                its condition is false',
    '✗ tests             check        65 s  pytest -q: exit code 1',
  ]);
  assert.deepEqual(progress.update(second), []);
});

test('the items of an each step are shown as a counter, and those that failed are listed', () => {
  const progress = createProgress({ paint });
  const items = [
    done('rewrite[0].ask', 'prompt'),
    done('rewrite[0].edit', 'edit'),
    row('rewrite[1].ask', 'prompt', { state: 'failed', durationMs: 100, note: 'unusable' }),
    row('rewrite[2].ask', 'prompt'),
  ];
  const lines = progress.update(state({ steps: [row('rewrite', 'each', { items: 12 }), ...items] }));
  assert.deepEqual(lines.slice(2), ['✗ rewrite[1].ask    prompt      0.1 s  unusable']);
  assert.equal(progress.live(2000), '▸ rewrite 2/12  1.0 s');
});

test('a step that runs again after a send-back gives a new line, though its path is the same', () => {
  const progress = createProgress({ paint });
  const first = done('fix', 'agent');
  progress.update(state({ steps: [first] }));
  assert.deepEqual(progress.update(state({ steps: [first, done('fix', 'agent', { durationMs: 900 })] })), [
    '✓ fix               agent       0.9 s',
  ]);
});

test('a question to a person says how to answer it', () => {
  const question: Question = {
    id: 'ask',
    kind: 'approval',
    question: 'Go\u001B[2J on?',
    who: ['ann'],
    deadlineMs: 0,
    sendBackTo: ['fix'],
  };
  const lines = createProgress({ paint }).update(state({ phase: 'waiting-for-human', questions: [question] }));
  assert.equal(
    lines.at(-1),
    '? Go\\u{1b}[2J on? (ann), until 1970-01-01T00:00:00.000Z\n  jig approve 9742  ·  jig reject 9742 -m WHY  ·  jig send-back 9742 -m WHAT',
  );
});

test('if several questions are open, each names the step that its answer is for', () => {
  const ask = (index: number): Question => ({
    id: `review[${index}].ask`,
    kind: 'approval',
    question: 'Good?',
    who: [],
    deadlineMs: 0,
    sendBackTo: [],
  });
  const lines = createProgress({ paint }).update(state({ questions: [ask(0), ask(1)] }));
  assert.match(lines.at(-1) ?? '', /jig approve 9742 --step 'review\[1\]\.ask' {2}·/);
});

test('the end shows outcome, reason, step, change, spending, and where to look next', () => {
  const ended = state({
    endedAtMs: 61_000,
    usage: { inputTokens: 900, cachedInputTokens: 0, outputTokens: 100, costUsd: 0.0123 },
    change: { number: 7, url: 'file:///7.md', branch: 'jig/x', commit: 'c', files: 2 },
    end: { outcome: 'needs-human', code: 'ci-failed', reason: 'The checks failed', step: 'ci' },
  });
  assert.equal(
    renderEnding(ended, { paint, uiUrl: 'http://ui/run' }),
    [
      'needs-human: The checks failed',
      '          after 61 s, 1000 tokens, $0.0123, qwen (recorded)',
      '  step    ci',
      '  code    ci-failed (docs/errors/ci-failed.md)',
      `  do      ${errorPages['ci-failed'].fix}`,
      '  change  #7, 2 files, file:///7.md',
      '  diff    jig diff 9742',
      '  look    http://ui/run',
    ].join('\n'),
  );
});

test('the end names commands only for failed steps that kept something, of the step that failed', () => {
  const text = { sha256: '0', sizeBytes: 1, mediaType: 'text/plain' };
  const json = { ...text, mediaType: 'application/json' };
  const ended = state({
    steps: [
      { ...row('tolerated', 'run'), state: 'failed', artifacts: { stderr: text } },
      { ...row('items', 'each'), state: 'failed' },
      { ...row('items[0].say', 'run'), state: 'succeeded', artifacts: { stdout: text } },
      { ...row('items[1].say', 'run'), state: 'failed', artifacts: { stderr: text } },
      { ...row('items[2].fix', 'agent'), state: 'failed', artifacts: { transcript: json, 'stdout-0': text } },
      { ...row('items[3].quiet', 'run'), state: 'failed' },
    ],
    end: { outcome: 'failed', code: 'command-failed', reason: 'x', step: 'items' },
  });
  assert.deepEqual(renderEnding(ended, { paint, uiUrl: undefined }).split('\n').slice(2), [
    '  step    items',
    '  code    command-failed (docs/errors/command-failed.md)',
    "  output  jig logs 9742 'items[1].say'",
    "          jig logs 9742 'items[2].fix'",
    "          jig transcript 9742 'items[2].fix'",
    '  do      Read its output with `jig logs 9742`. If another code is fine, say so in the script: `… || true`.',
    '  look    jig show 9742',
  ]);
});

test('the end gives no advice about what the run doesn’t have', () => {
  const end = { outcome: 'failed', code: 'command-failed', reason: 'x', step: 'quiet' } as const;
  const ended = state({ steps: [{ ...row('quiet', 'run'), state: 'failed' }], end });
  assert.match(
    renderEnding(ended, { paint, uiUrl: undefined }),
    /\n {2}do {4}If another code is fine, say so in the script: `… \|\| true`\.\n {2}look/,
  );
});

test('text from a run keeps its words and can’t control the terminal', () => {
  assert.equal(printable('a\u001B]0;title\u0007b\r\n\u202Ec\td'), 'a\\u{1b}]0;title\\u{7}b\n\\u{202e}c\td');
  assert.equal(oneLine('  two\n lines '), 'two lines');
  assert.equal(oneLine('x'.repeat(300)).length, 200);
});

test('only terminals get colours, and NO_COLOR turns them off', () => {
  assert.equal(hasColors({ isTTY: true }, {}), true);
  assert.equal(hasColors({}, {}), false);
  assert.equal(hasColors({ isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(hasColors({}, { FORCE_COLOR: '1' }), true);
  assert.equal(
    table([
      ['a', 'b'],
      ['long', 'c'],
    ]),
    'a     b\nlong  c',
  );
});

test('naming a step includes its items and inner rows; for a wrong name, the message lists the right ones', () => {
  const rows = [
    done('start/sandbox', 'sandbox'),
    done('rewrite', 'each'),
    done('rewrite[0].ask', 'prompt'),
    done('rewrites', 'run'),
  ];
  assert.deepEqual(
    stepsNamed(rows, 'rewrite').map(({ path }) => path),
    ['rewrite', 'rewrite[0].ask'],
  );
  assert.deepEqual(
    stepsNamed(rows, 'start').map(({ path }) => path),
    ['start/sandbox'],
  );
  assert.throws(() => stepsNamed(rows, 'rewrit'), {
    code: 'no-such-step',
    hint: 'Its steps so far: start/sandbox, rewrite, rewrites',
  });
});

test('a failure that is tried again is said once, and the live line counts the tries', () => {
  const progress = createProgress({ paint });
  const retry = {
    activity: 'askAgent',
    tries: 1,
    message: 'the model’s server answered status 429',
    nextTryAtMs: 9000,
  };
  const first = state({ steps: [row('fix', 'agent')], retries: [retry] });
  assert.deepEqual(progress.update(first).slice(2), [
    '! asking the model failed: the model’s server answered status 429; it is tried again',
  ]);
  assert.equal(progress.live(5000), '▸ fix  4.0 s  asking the model failed once, next try in 4.0 s');
  const { nextTryAtMs: _, ...again } = { ...retry, tries: 2 };
  assert.deepEqual(progress.update({ ...first, retries: [again] }), []);
  assert.match(progress.live(10_000), /asking the model failed 2 times, trying again now$/);
});

test('a run says that no model was asked only where none was', () => {
  const usage = { ...nothing, inputTokens: 50, outputTokens: 10 };
  const skipped = row('ask', 'prompt', { state: 'skipped' });
  const failed = row('ask', 'prompt', { state: 'failed', durationMs: 1 });
  const end = { outcome: 'failed' as const, reason: 'x' };
  assert.equal(renderUsage(state({ steps: [row('survey', 'run'), skipped] })), 'no model was asked');
  assert.equal(renderUsage(state({ steps: [failed], end })), 'no answer of a model was paid for, qwen (recorded)');
  assert.equal(
    renderUsage(state({ steps: [row('fix', 'agent')] })),
    'no answer of a model was paid for so far, and a model is at work, qwen (recorded)',
  );
  assert.equal(renderUsage(state({ steps: [failed], usage, end })), '60 tokens, $0.0000, qwen (recorded)');
});
