import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { z } from 'zod';
import { startInstallation, type Installation } from './installation.ts';
import { spawnJig } from './jig.ts';

const blueprint = `blueprint: v1
name: greet
inputs:
  word: { type: string }
steps:
  - id: survey
    run: printf 'a\\nb\\nc\\n'; echo "to the \\033[31merror" >&2
    parse: lines
  - id: write
    each: \${{ steps.survey.value }}
    as: item
    do:
      - run: [ sh, -c, 'echo "$2" > "$1.txt"', sh, "\${{ item }}", "\${{ inputs.word }}" ]
  - id: decide
    approve: { question: Is it right?, wait: 5m }
  - id: propose
    change: { title: Greet }
  - ci: { wait: 2m }
`;

const Event = z.looseObject({
  event: z.string(),
  path: z.string().optional(),
  runId: z.string().optional(),
  end: z.object({ outcome: z.string() }).optional(),
});

let installation: Installation;
const jig = (...args: string[]) => installation.jig(...args);
const untilAsked = (runId: string) => installation.until(runId, ({ questions }) => questions.length > 0);

beforeAll(async () => {
  installation = await startInstallation({ files: { 'greet.yaml': blueprint } });
  await installation.addRepository('api', { README: 'hello\n' });
});
afterAll(() => installation[Symbol.asyncDispose]());

test('up starts without a model, prints its addresses and folders, and refuses to start twice on the same data', async () => {
  const { places, dir } = installation;
  assert.equal(places.data, join(dir, 'data'));
  assert.match(places.model, /^none: .*set OPENAI_API_KEY/);
  assert.match(await readFile(join(places.data, 'worker.log'), 'utf8'), /"msg":"worker is ready"/);
  const { exitCode, stderr } = await jig('up');
  assert.equal(exitCode, 1);
  assert.match(stderr, /error\[already-up\]/);
});

test('of two that start at the same moment on the same data, the second says which one has it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'jig-twice-'));
  const options = { env: { JIG_DATA_DIR: join(dir, 'data') }, cwd: dir };
  const both = [spawnJig(['up'], options), spawnJig(['up'], options)];
  const first = await Promise.race(
    both.map(async (each, index) => {
      const { exitCode, stderr } = await each;
      return { index, exitCode, stderr };
    }),
  );
  const other = both[1 - first.index];
  try {
    assert.equal(first.exitCode, 1);
    assert.match(first.stderr, new RegExp(`error\\[already-up\\]: .*, as process ${other?.pid} on `));
  } finally {
    other?.kill('SIGTERM');
    await other;
    await rm(dir, { recursive: true, force: true });
  }
});

test('commands alone lead from a blueprint to a merged change', async () => {
  const { runId, uiUrl } = await installation.start(
    'run',
    'greet.yaml',
    '--repo',
    'api',
    '--input',
    'word=hi',
    '--ci',
    'test "$(cat c.txt)" = hi',
    '--by',
    'Ann',
  );
  assert.match(runId, /^run\/local:local\/api\/greet\/[0-9a-f]{8}$/);
  assert.ok(uiUrl.startsWith(installation.places.ui));

  const id = runId.slice(-8);
  const following = installation.spawn('follow', id, '--json');
  let said = '';
  const saysThatItWaits = new Promise<void>((resolve) =>
    following.stdout.on(
      'data',
      (chunk: Buffer) => void ((said += chunk.toString()).includes('"question"') && resolve()),
    ),
  );
  await untilAsked(runId);
  const refused = await jig('steer', id, 'Go on');
  assert.match(refused.stderr, /error\[nothing-to-steer\]/);
  assert.match(
    (await jig('runs', '--needs-human')).stdout,
    new RegExp(`${id} +greet +local/api +waiting-for-human \\(asks you\\)`),
  );
  await Promise.race([saysThatItWaits, following]);
  assert.match((await jig('approve', id, '--by', 'Ben', '-m', 'Good')).stdout, /approved/);

  const followed = await following;
  assert.equal(followed.exitCode, 0, followed.stdout + followed.stderr);
  const events = followed.stdout.split('\n').map((line) => Event.parse(JSON.parse(line)));
  assert.deepEqual(
    events.filter(({ event }) => event !== 'step').map(({ event }) => event),
    ['started', 'question', 'ended'],
  );
  assert.equal(events.at(-1)?.end?.outcome, 'succeeded');
  assert.equal(events.filter(({ path = '' }) => path.startsWith('write[')).length, 3);

  const shown = await jig('show');
  assert.match(shown.stdout, /✓ write +each +[\d.]+ s {2}3 of 3 items/);
  assert.match(shown.stdout, /succeeded: Change #1 is open[^]*jig diff/);
  assert.match((await jig('logs', '-', 'survey', '--stderr')).stdout, /to the \\u\{1b\}\[31merror/);
  assert.match((await jig('diff')).stdout, /^\+hi$/m);
  assert.match((await jig('change', 'list')).stdout, /local\/api#1 +(?:draft|open) +Greet/);
  assert.match((await jig('change', 'merge', '1')).stderr, /error\[forge-refused\][^]*not approved/);
  assert.equal((await jig('change', 'approve', '1', '--by', 'Ben')).exitCode, 0);
  assert.match((await jig('change', 'merge', 'local/api#1', '--by', 'Ben')).stdout, /local\/api#1 is merged/);
});

test('retry starts the same run again, and cancel ends it with its own exit code', async () => {
  const { runId } = await installation.start('retry', '-');
  await untilAsked(runId);
  assert.equal((await jig('cancel', runId, '-m', 'enough')).exitCode, 0);
  const { exitCode, stdout } = await jig('follow', runId);
  assert.equal(exitCode, 4);
  assert.match(stdout, /cancelled: Cancelled by .*: enough/);
  assert.match((await jig('cancel', runId)).stderr, /error\[run-ended\]/);
  assert.match((await jig('diff', runId)).stderr, /error\[no-change\]/);
});

test('Ctrl-C while following only stops looking', async () => {
  const { runId } = await installation.start('retry', '-');
  await untilAsked(runId);
  const following = installation.spawn('follow', runId);
  await new Promise((resolve) => following.stdout.once('data', resolve));
  following.kill('SIGINT');
  const { exitCode, stderr } = await following;
  assert.equal(exitCode, 130);
  assert.match(stderr, /The run goes on\..*jig cancel/);
  assert.equal((await jig('reject', runId, '-m', 'no')).exitCode, 0);
  assert.equal((await jig('follow', runId)).exitCode, 4);
});

test('importing a repository under the name of another one is refused', async () => {
  const other = await installation.addRepository('other/api', { README: 'other\n' });
  const { exitCode, stderr } = await jig('repo', 'add', other);
  assert.equal(exitCode, 2);
  assert.match(stderr, /error\[repository-unrelated\]/);
  assert.equal((await jig('repo', 'add', 'other/api', '--name', 'other/api')).exitCode, 0);
  assert.match((await jig('repo', 'list')).stdout, /^local\/api +main[^]*other\/api/);
});
