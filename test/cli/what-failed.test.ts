/** What a person finds after a failure, by the commands that the messages name. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, test } from 'vitest';
import { z } from 'zod';
import { errorPages, type ErrorCode } from '../../base/errors.ts';
import { startScriptedServer, type ScriptedServer } from '../../model/scripted-server.ts';
import { main, quietEnv } from './jig.ts';
import { startInstallation, type Installation } from './installation.ts';

const both = 'echo what was said; echo the real reason >&2';

const files = {
  'checks.yaml': `blueprint: v1
name: checks
steps:
  - { id: errs, check: [ "echo only on standard error >&2", "echo the second >&2" ] }
  - { id: before, check: [ "${both}; exit 3" ], gate: baseline }
  - { id: chk, on-failure: continue, check: [ "${both}; exit 4" ] }
  - { id: late, on-failure: continue, run: "${both}; sleep 600", timeout: 2s }
  - { id: odd, on-failure: continue, run: "${both}", parse: json }
  - id: items
    each: "\${{ ['a', 'it’s b'] }}"
    as: item
    do:
      - { id: noisy, run: "${both}; exit 5" }
`,
  'turns.yaml': `blueprint: v1
name: turns
steps:
  - id: fix
    agent: { task: Spend it, tools: [ read ], turns: 1 }
`,
  'refused.yaml': `blueprint: v1
name: refused
steps:
  - id: fix
    agent: { task: Ask nobody, tools: [ read ] }
`,
  'slow.yaml': `blueprint: v1
name: slow
steps:
  - id: fix
    agent: { task: Take your time, tools: [ read ] }
`,
  'slow-ask.yaml': `blueprint: v1
name: slow-ask
steps:
  - id: rate
    prompt:
      text: Rate it at leisure
      answer: { type: object, properties: { score: { type: integer } }, required: [ score ] }
`,
  'big.yaml': `blueprint: v1
name: big
steps:
  - id: big
    run: printf '\\377\\376\\n'; head -c 400000 /dev/zero | tr '\\0' x
`,
  'ask.yaml': `blueprint: v1
name: ask
steps:
  - id: rewrite
    each: "\${{ ['good', 'bad'] }}"
    as: word
    at-once: 1
    do:
      - id: ask
        prompt:
          text: "Is \${{ word }} a word?"
          answer: { type: object, properties: { isWord: { type: boolean } }, required: [ isWord ] }
`,
};

/** For each error page that sends people to what was written or said: steps that fail so, and what is found there. */
const told: Partial<Record<ErrorCode, { blueprint: string; finds: RegExp }>> = {
  'command-failed': {
    blueprint: `steps: [ { id: one, run: "${both}; exit 3" } ]`,
    finds: /── one stdout 14 bytes\nwhat was said\n── one stderr 16 bytes\nthe real reason/,
  },
  'command-deadline': {
    blueprint: `steps: [ { id: one, run: "${both}; sleep 600", timeout: 2s } ]`,
    finds: /── one stderr 16 bytes\nthe real reason/,
  },
  'output-not-json': {
    blueprint: `steps: [ { id: one, run: "${both}", parse: json } ]`,
    finds: /── one stdout 14 bytes\nwhat was said/,
  },
  'check-failed': {
    blueprint: `steps: [ { id: one, check: [ 'true', "${both}; exit 3" ] } ]`,
    finds: /── one stderr-1 16 bytes\nthe real reason[^]*── one stderr-1-again 16 bytes/,
  },
  'each-failed': {
    blueprint: `steps:\n  - id: all\n    each: "\${{ ['a', 'b'] }}"\n    as: item\n    do: [ { id: one, run: "${both}; exit 5" } ]`,
    finds: /── all\[0\]\.one stderr 16 bytes\nthe real reason/,
  },
  'setup-failed': {
    blueprint: `sandbox: { setup: [ "${both}; exit 3" ] }\nsteps: [ { id: one, run: 'true' } ]`,
    finds: /── start\/setup\/0 stderr 16 bytes\nthe real reason/,
  },
  'gate-failed': {
    blueprint: `steps:
  - { id: touch, run: "mkdir left; echo left > .gitignore; echo x > new.txt" }
  - { id: one, check: [ "${both}; test -d left" ] }
  - { id: open, change: { title: New } }`,
    finds: /── open\/gate stderr-0 16 bytes\nthe real reason/,
  },
  'verify-failed': {
    blueprint: `steps: [ { id: one, agent: { task: Fix it, tools: [ edit ] }, attempts: 1, verify: [ "${both}; exit 6" ] } ]`,
    finds: /── one stderr-0 16 bytes\nthe real reason[^]*user\nFix it[^]*assistant\nIt is fixed\./,
  },
  'unusable-answers': {
    blueprint: `steps: [ { id: one, prompt: { text: Is bad a word, answer: { type: object, properties: { is: { type: boolean } }, required: [ is ] } } } ]`,
    finds: /user\nIs bad a word[^]*assistant\nI would rather not say\.[^]*user\n[^]*assistant\n/,
  },
  'repeated-calls': {
    blueprint: 'steps: [ { id: one, agent: { task: Look again, tools: [ read ] } } ]',
    finds: /user\nLook again[^]*assistant\n→ read[^]*tool\n/,
  },
};

const look = { tool: 'read', arguments: { path: 'a.txt' } };
const script = {
  script: 'v1' as const,
  replies: [
    { contains: 'Fix it', text: 'It is fixed.' },
    { contains: 'Spend it', calls: [look] },
    ...Array.from({ length: 9 }, (_, index) => ({ contains: 'Look again', turn: index + 1, calls: [look] })),
    { contains: 'Take your time', text: 'never', delayMs: 600_000 },
    { contains: 'Rate it', turn: 1, text: 'It is fine.' },
    { contains: 'Rate it', turn: 2, answer: { score: 1 }, delayMs: 600_000 },
    { contains: 'Ask nobody', text: 'never', faults: [{ status: 401 }] },
    { contains: 'Is good a word', answer: { isWord: true } },
    ...[1, 2, 3].map((turn) => ({ contains: 'Is bad a word', turn, text: 'I would rather not say.' })),
  ],
};

const toldFiles = Object.fromEntries(
  Object.entries(told).map(([code, { blueprint }]) => [`${code}.yaml`, `blueprint: v1\nname: ${code}\n${blueprint}\n`]),
);

const Shown = z.object({ end: z.object({ code: z.string().optional() }) });

let model: ScriptedServer;
let installation: Installation;
const jig = (...args: string[]) => installation.jig(...args);

beforeAll(async () => {
  model = await startScriptedServer(script);
  const env = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', JIG_MODEL: 'scripted' };
  installation = await startInstallation({ env, files: { ...files, ...toldFiles } });
  await installation.addRepository('api', { 'a.txt': 'one\n' });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await model.close();
});

/** Runs a blueprint to its failure. Returns what `jig show` says of it, and the run's id. */
async function fail(name: string): Promise<{ runId: string; shown: string; end: z.infer<typeof Shown>['end'] }> {
  const { runId } = await installation.start('run', `${name}.yaml`, '--repo', 'api');
  await jig('follow', runId);
  const { end } = Shown.parse(JSON.parse((await jig('show', runId, '--json')).stdout));
  return { runId, shown: (await jig('show', runId)).stdout, end };
}

/** Carries out each `jig` command that a text names, and checks that it finds something. */
async function carryOutNamed(text: string): Promise<string> {
  const named = [...text.matchAll(/jig (?:logs|transcript) [^)\n`]+/g)].map(([command]) => command.trim());
  assert.notDeepEqual(named, [], text);
  const outputs = [];
  for (const command of new Set(named)) {
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const { exitCode, stdout, stderr } = await jig(...words.slice(1));
    assert.equal(exitCode, 0, `${command}: ${stderr}`);
    assert.doesNotMatch(stdout, /No output/, command);
    outputs.push(stdout);
  }
  return outputs.join('\n');
}

test('both streams of every command are kept, whether it passed or failed, of steps, checks and items', async () => {
  const { runId, shown } = await fail('checks');
  const { stdout: all } = await jig('logs', runId);
  const said = (place: string, suffix = '') =>
    `── ${place} stdout${suffix} 14 bytes\nwhat was said\n── ${place} stderr${suffix} 16 bytes\nthe real reason`;
  for (const part of [
    '── errs stderr-0 23 bytes\nonly on standard error\n── errs stderr-1 11 bytes\nthe second',
    said('before', '-0'),
    said('chk', '-0'),
    said('late'),
    said('odd'),
    said('items[0].noisy'),
  ])
    assert.ok(all.includes(part), `${part}\n\nin\n\n${all}`);
  assert.equal((await jig('logs', runId, 'odd', '--stderr', '--raw')).stdout, 'the real reason');
  assert.match(await carryOutNamed(shown), /── items\[0\]\.noisy stderr/);
  assert.match(shown, /\n {2}│ the real reason$/);
  assert.ok(shown.slice(shown.indexOf('\nfailed: ')).split('\n').length <= 12, shown);
});

test('an error page sends people to what was written or said only if that is kept', async () => {
  const sends = Object.entries(errorPages).filter(([, { fix }]) => /`jig (?:logs|transcript)`/.test(fix));
  // An agent that ends without a reason of its own is a mistake of Jig's, which no blueprint makes.
  const codes = sends.map(([code]) => code).filter((code) => code !== 'agent-failed');
  assert.deepEqual(Object.keys(told).toSorted(), codes.toSorted());
  const runs = await Promise.all(
    Object.entries(told).map(async ([code, { finds }]) => ({ code, finds, ...(await fail(code)) })),
  );
  for (const { code, finds, shown, end } of runs) {
    assert.equal(end.code, code, shown);
    assert.match(await carryOutNamed(shown), finds, code);
  }
});

test('the conversation of an agent whose budget ended is kept', async () => {
  assert.match(await carryOutNamed((await fail('turns')).shown), /user\nSpend it[^]*assistant\n→ read[^]*tool\n/);
});

test('a question that got no answer is kept', async () => {
  assert.match(await carryOutNamed((await fail('refused')).shown), /── fix, 2 messages\n[^]*user\nAsk nobody/);
});

test('the questions of prompts and their answers are printed, usable or not', async () => {
  const { runId, shown } = await fail('ask');
  for (const command of ['logs', 'transcript'])
    assert.match((await jig(command, runId, 'rewrite[0].ask')).stdout, /Is good a word\?[^]*\{"isWord":true\}/);
  assert.match(await carryOutNamed(shown), /Is bad a word\?[^]*I would rather not say\./);
});

test('the conversation of an agent at work can be read, and stays after its run was cancelled', async () => {
  const { runId } = await installation.start('run', 'slow.yaml', '--repo', 'api');
  await installation.until(runId, ({ steps }) => steps.some(({ workflowId }) => workflowId !== undefined));
  const said = /── fix, 2 messages\n[^]*user\nTake your time/;
  assert.match((await jig('transcript', runId)).stdout, said);
  const { stdout: shown } = await jig('show', runId);
  assert.match(shown, /no answer of a model was paid for so far, and a model is at work/);
  assert.doesNotMatch(shown, /no model was asked/);
  await jig('cancel', runId);
  await jig('follow', runId);
  assert.match((await jig('transcript', runId, 'fix')).stdout, said);
});

test('what a prompt was answered and what it is asking can be read while it waits', async () => {
  const { runId } = await installation.start('run', 'slow-ask.yaml', '--repo', 'api');
  await installation.until(runId, ({ steps }) =>
    steps.some(({ artifacts }) => artifacts?.['transcript'] !== undefined),
  );
  for (const command of ['transcript', 'logs'])
    assert.match(
      (await jig(command, runId, 'rate')).stdout,
      /user[^]*Rate it at leisure[^]*assistant[^]*It is fine\.[^]*user[^]*JSON/,
    );
  await jig('cancel', runId);
});

test('all that a command wrote reaches a slow reader, byte for byte', async () => {
  const { runId } = await installation.start('run', 'big.yaml', '--repo', 'api');
  await jig('follow', runId);
  const words = [process.execPath, main, 'logs', runId, 'big', '--raw'];
  const { stdout } = await execa('sh', ['-c', '"$@" | (sleep 1; sha256sum)', 'sh', ...words], {
    env: quietEnv({ JIG_DATA_DIR: join(installation.dir, 'data') }),
    extendEnv: false,
  });
  const whole = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.alloc(400_000, 'x')]);
  assert.equal(stdout.split(' ')[0], createHash('sha256').update(whole).digest('hex'));
});
