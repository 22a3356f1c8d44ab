import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { pino } from 'pino';
import { runLocalCi } from '../../worker/local-ci.ts';
import { createWorld, type World } from './harness.ts';
import { asked, model } from './model-by-hand.ts';

let world: World;
const ending = new AbortController();
let ci: Promise<void>;
beforeAll(async () => {
  world = await createWorld({ model });
  const files = { 'other.txt': 'x\n', 'src/a.py': 'a = 1\n', 'tests/t.py': 'pass\n', 'app.py': 'x = 1\n' };
  await world.addRepository('acme/api', files);
  await world.addRepository('acme/failing', files, ['false']);
  ci = runLocalCi({ parts: world.parts, forge: world.forge, log: pino({ level: 'silent' }) }, ending.signal);
});
afterAll(async () => {
  ending.abort();
  await ci;
  await world[Symbol.asyncDispose]();
});

const blueprint = (name: string, steps: string, top = ''): string =>
  `blueprint: v1\nname: ${name}\n${top}\nsteps:\n${steps}`;
const changesOf = async (name: string): Promise<number> => (await world.forge.listChanges(name)).length;

test('an agent can’t change other paths through the checks that run its code', async () => {
  const { end } = await world.run(
    blueprint(
      'by-checks',
      `
  - id: verified
    agent: { task: Do it, tools: [ write ], allow-paths: [ 'tests/**' ] }
    verify: [ python3 tests/t.py ]
    attempts: 1
  - change: { title: Change }
`,
    ),
  );
  assert.deepEqual([end.outcome, end.code, await changesOf('acme/api')], ['failed', 'path-not-allowed', 0], end.reason);
  assert.match(end.reason, /other\.txt/);
});

test('a failed agent that changed other paths ends the run, in spite of on-failure and tolerate', async () => {
  const step = (more: string): string => `id: continued
      agent: { task: Do it, tools: [ shell ], allow-paths: [ 'src/**' ]${more} }`;
  const continued = await world.run(
    blueprint(
      'by-continue',
      `
    - ${step('')}
      on-failure: continue
    - change: { title: Change }
`,
    ),
  );
  const limited = await world.run(
    blueprint(
      'by-bound',
      `
  - id: all
    each: \${{ ['a'] }}
    as: item
    tolerate: 1
    do:
    - ${step(', turns: 1')}
  - change: { title: Change }
`,
    ),
  );
  for (const { end } of [continued, limited])
    assert.deepEqual(
      [end.outcome, end.code, await changesOf('acme/api')],
      ['failed', 'path-not-allowed', 0],
      end.reason,
    );
});

test('agents that run at the same time stay within the budget together, and tolerate does not cover a spent budget', async () => {
  for (const [budget, questions] of [
    ['turns: 4', 4],
    ['usd: 0.4', 4],
    ['tokens: 4000', 4],
  ] as const) {
    asked.length = 0;
    const { end, state } = await world.run(
      blueprint(
        'agents',
        `
  - id: all
    each: \${{ ['a', 'b', 'c', 'd', 'e', 'f'] }}
    as: item
    at-once: 6
    tolerate: 100
    do:
    - id: endless
      agent: { task: "Do \${{ item }}", tools: [ shell ], turns: 3 }
  - end: { outcome: succeeded, reason: on }
`,
        `budget: { ${budget} }`,
      ),
    );
    assert.ok(asked.length <= 6 && asked.length >= questions, `${budget}: ${asked.length} questions`);
    if (budget.startsWith('turns')) assert.equal(asked.length, questions);
    assert.deepEqual(
      [end.outcome, end.code],
      ['failed', 'budget-exceeded'],
      `${budget}: ${end.reason}, ${JSON.stringify(state.usage)}`,
    );
  }
});

test('prompts that are asked at the same time stay within the limit of turns, and the run names the limit that it reached', async () => {
  asked.length = 0;
  const { end } = await world.run(
    blueprint(
      'prompts',
      `
  - id: all
    each: \${{ ['a', 'b', 'c', 'd', 'e', 'f'] }}
    as: item
    at-once: 6
    on-failure: continue
    do:
    - id: word
      prompt: { text: "Say a word, \${{ item }}", answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
  - end: { outcome: succeeded, reason: on }
`,
      'budget: { turns: 2 }',
    ),
  );
  assert.deepEqual([asked.length, end.outcome, end.code], [2, 'failed', 'budget-exceeded'], end.reason);
});

test('an agent that reaches its own limit makes its item fail, and the run goes on within its budget', async () => {
  const { end } = await world.run(
    blueprint(
      'own-bound',
      `
  - id: all
    each: \${{ ['a', 'b'] }}
    as: item
    tolerate: 2
    do:
    - id: endless
      agent: { task: "Do \${{ item }}", tools: [ shell ], turns: 2 }
  - end: { outcome: succeeded, reason: "\${{ steps.all.failed }} failed" }
`,
    ),
  );
  assert.deepEqual([end.outcome, end.reason], ['succeeded', '2 failed']);
});

test('an agent’s time can end between two calls of one answer', async () => {
  const startedMs = Date.now();
  const { end, state } = await world.run(
    blueprint(
      'slow-calls',
      `
  - id: slow
    agent: { task: Do it, tools: [ shell ] }
    timeout: 2s
`,
    ),
  );
  const row = state.steps.find(({ path }) => path === 'slow');
  assert.equal(end.code, 'budget-exceeded');
  assert.ok((row?.durationMs ?? 0) < 5000, `${row?.durationMs} of ${Date.now() - startedMs} ms`);
});

test('a check has the same timeout in the clean checkout as in its step', async () => {
  const { end, runId } = await world.run(
    blueprint(
      'gate-time',
      `
  - run: sed -i s/1/2/ app.py
  - check: [ grep -q 2 app.py ]
    timeout: 11m
  - change: { title: Two }
`,
    ),
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  const { events = [] } = await world.client.temporal.workflow.getHandle(runId).fetchHistory();
  const commands = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name === 'runCommand'
      ? [Buffer.from(scheduled.input?.payloads?.[0]?.data ?? []).toString()]
      : [],
  );
  assert.equal(
    commands.filter((input) => input.includes('grep -q') && input.includes(`"timeoutMs":${11 * 60_000}`)).length,
    2,
  );
});

test('a repair after a failed CI has the limits of its step, and every call of its conversation is answered', async () => {
  asked.length = 0;
  const { end } = await world.run(
    blueprint(
      'repair',
      `
  - run: sed -i s/1/2/ app.py
  - id: stops
    agent: { task: Do it, tools: [ shell ], turns: 5 }
    on-failure: continue
  - change: { title: Two }
  - ci: { rounds: 2 }
`,
    ),
    { repository: 'acme/failing' },
  );
  assert.deepEqual([end.outcome, end.code], ['needs-human', 'ci-failed'], end.reason);
  const repair = asked.filter(({ key }) => key.includes('round-2'));
  assert.ok(repair.length > 0 && repair.length <= 5, `${repair.length} questions`);
  for (const { messages } of asked) {
    const calls = messages.flatMap((message) =>
      message.role === 'assistant' ? message.toolCalls.map(({ id }) => id) : [],
    );
    const answered = messages.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []));
    assert.deepEqual(answered.toSorted(), calls.toSorted());
  }
});

test('a sandbox that is lost inside an each is not tolerated, and the run starts once more', async () => {
  const started = await world.start(
    blueprint(
      'lost-in-each',
      `
  - id: all
    each: \${{ ['a'] }}
    as: item
    do:
    - id: wait
      run: sleep 2
  - end: { outcome: succeeded, reason: on }
`,
    ),
  );
  await world.until(started, ({ steps }) =>
    steps.some(({ path, state }) => path.startsWith('all[') && state === 'running'),
  );
  const [sandbox] = await world.parts.sandboxes.listSandboxes();
  assert.ok(sandbox);
  await world.parts.sandboxes.destroySandbox(sandbox.id);
  const end = await world.client.result(started);
  assert.deepEqual([end.outcome, end.reason], ['succeeded', 'on']);
});

test('the configuration sets the limits of commands, checks, outputs and unusable answers', async () => {
  await using bounded = await createWorld({
    model,
    config: {
      runs: {
        agentCommandTimeoutMs: 1000,
        checkTimeoutMs: 2000,
        setupTimeoutMs: 60_000,
        toolOutputMaxCharacters: 2000,
        unusableAnswers: 1,
      },
    },
  });
  await bounded.addRepository('acme/api', { 'app.py': 'x = 1\n' });
  const before = asked.length;
  const { end } = await bounded.run(
    blueprint(
      'bounded',
      `
  - id: wordy
    agent: { task: Do it }
    verify: [ sleep 30 ]
    attempts: 1
`,
    ),
  );
  assert.equal(end.code, 'verify-failed', end.reason);
  assert.match(end.reason, /sleep 30: took longer than its timeout/);
  const told =
    asked[before + 1]?.messages.flatMap((message) => (message.role === 'tool' ? [message.content] : [])) ?? [];
  assert.match(told[0] ?? '', /^ended after 1 s, its time limit/);
  assert.match(told[1] ?? '', /100000\n?$/);
  assert.ok((told[1]?.length ?? 0) <= 2000, String(told[1]?.length));

  const asks = asked.length;
  const { end: unusable } = await bounded.run(
    blueprint(
      'unusable',
      `
  - id: stops
    agent: { task: Do it }
`,
    ),
  );
  assert.deepEqual([unusable.code, asked.length - asks], ['unusable-answers', 1]);
});

test('a conversation that is too long for the server goes on without its oldest turns', async () => {
  const before = asked.length;
  const { end } = await world.run(
    blueprint(
      'outgrown',
      `
  - id: forgetful
    agent: { task: Remember me }
`,
    ),
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  const last = JSON.stringify(asked.at(-1)?.messages);
  assert.match(last, /Remember me/);
  assert.match(last, /9999/);
  assert.ok(last.length <= 30_000);
  assert.ok(asked.length - before > 7, 'some of the seven questions were too long at first');
});
