import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { z } from 'zod';
import { startScriptedServer, type ScriptedServer } from '../../model/scripted-server.ts';
import type { RunState } from '../../workflows/messages.ts';
import { startInstallation, type Installation } from './installation.ts';

const blueprint = `blueprint: v1
name: mend
steps:
  - id: fix
    agent: { task: Make it nice, tools: [ edit, shell ] }
  - id: decide
    approve: { question: Is it nice?, who: [ Ann, Ben ], rounds: 1 }
  - change: { title: Make it nice }
`;

const letGo = { tool: 'shell', arguments: { command: 'until test -e .git/go; do sleep 0.05; done' } };
const replace = (old: string, text: string) => ({ tool: 'edit', arguments: { path: 'app.txt', old, new: text } });
const script = {
  script: 'v1' as const,
  replies: [
    { step: 'fix', turn: 1, calls: [letGo] },
    { step: 'fix', turn: 2, contains: 'Ann: nicer, please', calls: [replace('plain', 'nice')] },
    { step: 'fix', turn: 3, text: 'It is nice.' },
    { step: 'fix#2', turn: 1, contains: 'Ben sent the work back: bolder', calls: [replace('nice', 'bold')] },
    { step: 'fix#2', turn: 2, text: 'It is bold.' },
  ],
};

const Failure = z.strictObject({ error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string() }) });
const asks = ({ questions }: RunState): boolean => questions[0]?.kind === 'approval';

let model: ScriptedServer;
let installation: Installation;
const jig = (...args: string[]) => installation.jig(...args);

beforeAll(async () => {
  model = await startScriptedServer(script);
  const env = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', JIG_MODEL: 'scripted' };
  installation = await startInstallation({ env, files: { 'mend.yaml': blueprint } });
  await installation.addRepository('api', { 'app.txt': 'plain\n' });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await model.close();
});

/** A refusal: its exit code, its code and what to do about it, the same for a person and for a program. */
async function checkRefused(
  args: string[],
  { exitCode, code, says }: { exitCode: number; code: string; says: RegExp },
): Promise<void> {
  const [text, json] = await Promise.all([jig(...args), jig(...args, '--json')]);
  assert.deepEqual([text.exitCode, text.stdout], [exitCode, ''], args.join(' '));
  assert.match(
    text.stderr,
    new RegExp(`^error\\[${code}\\]: .+\\n {2}.+\\n {2}docs/errors/${code}\\.md explains why`),
    args.join(' '),
  );
  assert.match(text.stderr, says);
  const { error } = Failure.parse(JSON.parse(json.stdout));
  assert.deepEqual([json.exitCode, json.stderr, error.code], [exitCode, '', code]);
  assert.ok(text.stderr.includes(error.message) && text.stderr.includes(error.hint));
}

test('an agent at work can be steered and paused, its work sent back, and the second result approved', async () => {
  const { runId } = await installation.start('run', 'mend.yaml', '--repo', 'api', '--by', 'Ann');
  const id = runId.slice(-8);
  await installation.until(runId, ({ steps }) =>
    steps.some(({ path, state }) => path === 'fix' && state === 'running'),
  );
  const said = await jig('steer', id, 'nicer, please', '--by', 'Ann');
  assert.deepEqual([said.exitCode, said.stdout, said.stderr], [0, `${runId}: said`, '']);
  const paused = await jig('pause', id, '--by', 'Ann', '--json');
  assert.deepEqual([paused.exitCode, JSON.parse(paused.stdout)], [0, { runId, done: 'pause' }]);
  await checkRefused(['pause', id], { exitCode: 1, code: 'already-paused', says: /jig resume/ });
  await installation.letGoOn();
  assert.match(
    (await jig('show', id)).stdout,
    new RegExp(`The run is paused: resume or cancel it[^]*jig resume ${id}[^]*\\npaused,`),
  );
  assert.equal((await jig('resume', id)).stdout, `${runId}: goes on`);

  await installation.until(runId, asks);
  await checkRefused(['resume', id], { exitCode: 1, code: 'not-paused', says: /nothing|jig/i });
  await checkRefused(['steer', id, 'more'], { exitCode: 1, code: 'nothing-to-steer', says: /jig show/ });
  await checkRefused(['approve', id, '--by', 'Eve'], { exitCode: 1, code: 'not-asked', says: /Ann, Ben/ });
  await checkRefused(['send-back', id, '-m', 'x'.repeat(10_001), '--by', 'Ben'], {
    exitCode: 2,
    code: 'invalid-message',
    says: /10000/,
  });
  assert.equal((await jig('send-back', id, '-m', 'bolder', '--by', 'Ben')).stdout, `${runId}: sent back`);

  await installation.until(
    runId,
    (state) => asks(state) && state.steps.filter(({ path }) => path === 'decide').length === 2,
  );
  await checkRefused(['send-back', id, '-m', 'bolder still', '--by', 'Ben'], {
    exitCode: 1,
    code: 'cannot-send-back',
    says: /approved or rejected/,
  });
  const approved = await jig('approve', id, '-m', 'Looks right', '--by', 'Ben', '--json');
  assert.deepEqual([approved.exitCode, JSON.parse(approved.stdout)], [0, { runId, done: 'approve' }]);
  assert.equal((await jig('follow', id)).exitCode, 0);
  assert.match((await jig('diff', id)).stdout, /^\+bold$/m);
});

test('a rejected run ends as cancelled and takes no more messages', async () => {
  const { runId } = await installation.start('retry', '-', '--by', 'Ben');
  const id = runId.slice(-8);
  await installation.until(runId, ({ steps }) =>
    steps.some(({ path, state }) => path === 'fix' && state === 'running'),
  );
  await checkRefused(['approve', id, '--by', 'Ann'], { exitCode: 1, code: 'nothing-to-decide', says: /jig show/ });
  await jig('steer', id, 'nicer, please', '--by', 'Ann');
  await installation.letGoOn();
  await installation.until(runId, asks);
  const rejected = await jig('reject', id, '-m', 'We keep it plain', '--by', 'Ann', '--json');
  assert.deepEqual([rejected.exitCode, JSON.parse(rejected.stdout)], [0, { runId, done: 'reject' }]);
  const { exitCode, stdout } = await jig('follow', id);
  assert.equal(exitCode, 4);
  assert.match(
    stdout,
    /cancelled: Ann rejected it: We keep it plain\n[^]*step +decide[^]*code +rejected \(docs\/errors\/rejected\.md\)/,
  );
  for (const words of [
    ['approve', id],
    ['send-back', id, '-m', 'x'],
    ['steer', id, 'x'],
    ['cancel', id],
  ]) {
    await checkRefused(words, { exitCode: 1, code: 'run-ended', says: /jig retry/ });
  }
});

test('a name that fits no run or several runs is refused before any message is sent', async () => {
  await checkRefused(['approve', 'nope'], { exitCode: 2, code: 'run-not-found', says: /jig runs/ });
  await checkRefused(['pause', 'run/local/api/mend/none'], { exitCode: 2, code: 'run-not-found', says: /jig runs/ });
  await checkRefused(['cancel', ''], { exitCode: 2, code: 'run-ambiguous', says: /more of the id/ });
  await checkRefused(['runs', '--query', 'nonsense !!'], { exitCode: 2, code: 'filter-invalid', says: /syntax error/ });
});
