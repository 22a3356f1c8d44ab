import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { z } from 'zod';
import { startScriptedServer, type ScriptedServer } from '../../model/scripted-server.ts';
import { startInstallation, type Installation } from './installation.ts';
import { main, quietEnv } from './jig.ts';

const blueprint = `blueprint: v1
name: look
inputs:
  word: { type: string, default: hi }
steps:
  - id: say
    run: printf 'one\\ntwo\\n'; printf 'a\\000b\\033[31m' >&2
  - id: quiet
    run: 'true'
  - id: items
    each: \${{ ['x', 'y'] }}
    as: item
    do:
      - id: tell
        run: [ echo, "\${{ item }} \${{ inputs.word }}" ]
  - id: fix
    agent: { task: "Make it \${{ inputs.word }}", tools: [ edit ] }
  - run: sed -i 's/= 2/= 3/' latin1.py; printf 'a\\000\\001' >icon.png; printf 'echo hi\\r\\n' >hi.bat
  - change: { title: Make it nice }
`;

const script = {
  script: 'v1' as const,
  replies: [
    { step: 'fix', turn: 1, calls: [{ tool: 'edit', arguments: { path: 'app.txt', old: 'plain', new: 'nice' } }] },
    { step: 'fix', turn: 2, text: 'It is \u001B[1mnice.' },
  ],
};

const Outputs = z.strictObject({
  runId: z.string(),
  outputs: z.array(z.strictObject({ step: z.string(), output: z.string(), sizeBytes: z.number(), text: z.string() })),
});
const Conversations = z.strictObject({
  runId: z.string(),
  conversations: z.array(
    z.strictObject({ step: z.string(), messages: z.array(z.looseObject({ role: z.string(), content: z.string() })) }),
  ),
});
const Diff = z.strictObject({
  runId: z.string(),
  repository: z.string(),
  change: z.looseObject({ number: z.number(), branch: z.string() }),
  patch: z.string(),
});
const Shown = z.looseObject({
  runId: z.string(),
  phase: z.string(),
  end: z.object({ outcome: z.string() }),
  uiUrl: z.string(),
  requester: z.string(),
});
const Failure = z.object({ error: z.object({ code: z.string(), hint: z.string() }) });

let model: ScriptedServer;
let installation: Installation;
let runId = '';
let repository = '';
const jig = (...args: string[]) => installation.jig(...args);

beforeAll(async () => {
  model = await startScriptedServer(script);
  const env = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', JIG_MODEL: 'scripted' };
  installation = await startInstallation({ env, files: { 'look.yaml': blueprint } });
  repository = await installation.addRepository('api', {
    'app.txt': 'plain\n',
    'latin1.py': Buffer.from('caf\u00e9 = 1\nx = 2\n', 'latin1'),
    'icon.png': Buffer.from([0, 255, 10]),
    'hi.bat': 'echo hi\n',
  });
  ({ runId } = await installation.start('run', 'look.yaml', '--repo', 'api', '--by', 'Ann'));
  const { exitCode, stdout } = await jig('follow', runId);
  assert.equal(exitCode, 0, stdout);
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await model.close();
});

test('logs print what commands wrote: all, of one step, of one stream, as bytes, as JSON', async () => {
  const all = await jig('logs', runId);
  assert.match(
    all.stdout,
    /── say stdout 8 bytes\none\ntwo\n── say stderr 8 bytes\na\\u\{0\}b\\u\{1b\}\[31m\n[^]*── items\[1\]\.tell stdout 5 bytes\ny hi/,
  );
  assert.equal((await jig('logs', runId, 'items')).stdout.match(/^── /gm)?.length, 2);
  assert.equal((await jig('logs', runId, 'items[0].tell', '--raw')).stdout, 'x hi');
  assert.equal((await jig('logs', runId, 'say', '--stderr', '--raw')).stdout, 'a\0b\u001B[31m');
  assert.equal(
    (await jig('logs', runId, 'quiet')).stdout,
    'No output of the step quiet is kept; `jig show` says how it ended.',
  );
  const json = Outputs.parse(JSON.parse((await jig('logs', runId, 'say', '--json')).stdout));
  assert.deepEqual(json, {
    runId,
    outputs: [
      { step: 'say', output: 'stdout', sizeBytes: 8, text: 'one\ntwo\n' },
      { step: 'say', output: 'stderr', sizeBytes: 8, text: 'a\0b\u001B[31m' },
    ],
  });
});

test('a transcript is the conversation as the model saw it', async () => {
  const { stdout } = await jig('transcript', runId);
  assert.match(
    stdout,
    /── fix, \d+ messages\n\nsystem\n[^]*\nuser\nMake it hi[^]*\nassistant\n→ edit \{"path":"app.txt"[^]*\ntool\n[^]*\nassistant\nIt is \\u\{1b\}\[1mnice\.$/,
  );
  const {
    conversations: [fix],
  } = Conversations.parse(JSON.parse((await jig('transcript', runId, 'fix', '--json')).stdout));
  assert.deepEqual(
    fix?.messages.map(({ role }) => role),
    ['system', 'user', 'assistant', 'tool', 'assistant'],
  );
});

test('a diff can be printed for people, for git apply, and as JSON', async () => {
  assert.match((await jig('diff', runId)).stdout, /^-plain\n\+nice$/m);
  assert.match((await jig('diff', runId)).stdout, /^-echo hi\n\+echo hi\^M$/m);
  const json = Diff.parse(JSON.parse((await jig('diff', runId, '--json')).stdout));
  assert.deepEqual(
    [json.runId, json.repository, json.change.number, /^\+nice$/m.test(json.patch)],
    [runId, 'local/api', 1, true],
  );
});

test('a raw diff is the patch byte for byte, in any encoding, with binary files, and applies', async () => {
  const data = join(installation.dir, 'data');
  const gitDir = join(data, 'forge', 'repositories', 'local', 'api.git');
  const { change } = Diff.parse(JSON.parse((await jig('diff', runId, '--json')).stdout));
  const bytes = { encoding: 'buffer', stripFinalNewline: false } as const;
  const range = `main...${change.branch}`;
  const wanted = await execa('git', [`--git-dir=${gitDir}`, 'diff', '--binary', '--full-index', range], bytes);
  const env = quietEnv({ JIG_DATA_DIR: data });
  const { stdout: patch } = await execa(process.execPath, [main, 'diff', runId, '--raw'], {
    ...bytes,
    env,
    extendEnv: false,
  });
  assert.deepEqual(Buffer.from(patch), Buffer.from(wanted.stdout));
  await execa('git', ['apply', '--check', '-'], { cwd: repository, input: patch });
});

test('if a run does not have what was asked for, the message says what it has', async () => {
  for (const [words, exitCode, code, says] of [
    [['logs', runId, 'sya'], 2, 'no-such-step', /Its steps so far: .*say, quiet, items, fix/],
    [['transcript', runId, 'say'], 2, 'no-such-step', /The step say has asked no model/],
    [['logs', 'nope'], 2, 'run-not-found', /jig runs/],
    [['diff', 'run/local/api/look/nope'], 2, 'run-not-found', /jig runs/],
    [['retry', 'nope'], 2, 'run-not-found', /jig runs/],
  ] as const) {
    const [text, json] = await Promise.all([jig(...words), jig(...words, '--json')]);
    assert.deepEqual([text.exitCode, json.exitCode, text.stdout], [exitCode, exitCode, ''], words.join(' '));
    assert.match(text.stderr, new RegExp(`^error\\[${code}\\]`));
    assert.match(text.stderr, says);
    assert.equal(Failure.parse(JSON.parse(json.stdout)).error.code, code);
  }
});

test('retry uses the same text and inputs, and with --follow its exit code is that of the new run', async () => {
  await writeFile(join(installation.dir, 'look.yaml'), 'blueprint: v1\nname: look\nsteps:\n  - run: exit 1\n');
  const followed = await jig('retry', runId, '--follow', '--by', 'Ben');
  assert.equal(followed.exitCode, 0, followed.stdout);
  assert.match(followed.stdout, /Change #2 is open/);
  const shown = Shown.parse(JSON.parse((await jig('show', '-', '--json')).stdout));
  assert.notEqual(shown.runId, runId);
  assert.deepEqual([shown.requester, shown.phase, shown.end.outcome], ['Ben', 'ended', 'succeeded']);
  assert.equal((await jig('logs', '-', 'items[0].tell', '--raw')).stdout, 'x hi');
});

test('a key starts one run, is reported as used the second time, and is refused for another request', async () => {
  const words = ['run', 'look.yaml', '--repo', 'api', '--key', 'ticket-7'];
  const first = await jig(...words);
  assert.match(first.stdout, /^Started run\/local:local\/api\/look\/[0-9a-f]{12}\n/);
  const again = await jig(...words);
  assert.equal(again.exitCode, 0);
  assert.match(again.stdout, /^Started before, under this key: run\/local:local\/api\/look\/[0-9a-f]{12}\n/);
  assert.equal((await jig('follow', '-')).exitCode, 1);
  assert.match(
    (await jig('diff', '-')).stderr,
    /^error\[no-change\]: .* has not opened a change: .*exit code 1\n {2}`jig show`/,
  );
  await writeFile(join(installation.dir, 'look.yaml'), 'blueprint: v1\nname: look\nsteps:\n  - run: exit 2\n');
  const other = await jig(...words);
  assert.equal(other.exitCode, 2);
  assert.match(other.stderr, /^error\[key-taken\]/);
});
