import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { z } from 'zod';
import { jig as runJig, main, quietEnv } from './jig.ts';

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

const Event = z.looseObject({ event: z.string(), path: z.string().optional(), runId: z.string().optional(), end: z.object({ outcome: z.string() }).optional() });
const Started = z.object({ runId: z.string(), uiUrl: z.string() });
const Places = z.object({ ui: z.string(), temporal: z.string(), data: z.string(), model: z.string() });

const startUp = () => execa(process.execPath, [main, 'up', '--json'], { env: quietEnv(env()), extendEnv: false, reject: false, cwd: dir });

let dir = '';
let up: ReturnType<typeof startUp>;
let places: z.infer<typeof Places>;
const env = () => ({ JIG_DATA_DIR: join(dir, 'data') });
const jig = (...args: string[]) => runJig(args, { env: env(), cwd: dir });

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jig-up-'));
  await writeFile(join(dir, 'greet.yaml'), blueprint);
  await mkdir(join(dir, 'api'));
  await writeFile(join(dir, 'api', 'README'), 'hello\n');
  const git = (...args: string[]) => execa('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], { cwd: join(dir, 'api') });
  await git('init', '--quiet', '--initial-branch=trunk');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Start');
  up = startUp();
  places = await new Promise((resolve, reject) => {
    let text = '';
    up.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('}\n')) resolve(Places.parse(JSON.parse(text)));
    });
    void up.then(({ stderr }) => reject(new Error(`up ended: ${stderr}`)));
  });
});

after(async () => {
  up.kill('SIGTERM');
  await up;
  await rm(dir, { recursive: true, force: true });
});

test('up starts without a model, says where things are, and refuses a second one on the same data', async () => {
  assert.equal(places.data, join(dir, 'data'));
  assert.match(places.model, /^none: set OPENAI_API_KEY/);
  assert.match(await readFile(join(places.data, 'worker.log'), 'utf8'), /"msg":"worker is ready"/);
  const { exitCode, stderr } = await jig('up');
  assert.equal(exitCode, 1);
  assert.match(stderr, /error\[already-up\]/);
});

test('from a blueprint to a merged change, by commands alone', async () => {
  const started = await jig('run', 'greet.yaml', '--repo', 'api', '--input', 'word=hi', '--ci', 'test "$(cat c.txt)" = hi', '--by', 'Ann', '--json');
  const { runId, uiUrl } = Started.parse(JSON.parse(started.stdout));
  assert.match(runId, /^run\/local\/api\/greet\/[0-9a-f]{8}$/);
  assert.ok(uiUrl.startsWith(places.ui));

  const id = runId.slice(-8);
  const following = jig('follow', id, '--json');
  await untilAsked(id);
  const refused = await jig('steer', id, 'Go on');
  assert.match(refused.stderr, /error\[nothing-to-steer\]/);
  assert.match((await jig('runs', '--needs-human')).stdout, new RegExp(`${id} +greet +local/api +waiting-for-human \\(asks you\\)`));
  assert.match((await jig('approve', id, '--by', 'Ben', '-m', 'Good')).stdout, /approved/);

  const followed = await following;
  assert.equal(followed.exitCode, 0, followed.stdout + followed.stderr);
  const events = followed.stdout.split('\n').map((line) => Event.parse(JSON.parse(line)));
  assert.deepEqual(events.filter(({ event }) => event !== 'step').map(({ event }) => event), ['started', 'waiting', 'ended']);
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

test('retry starts the same again, and cancel ends it with its exit code', async () => {
  const started = await jig('retry', '-', '--json');
  const { runId } = Started.parse(JSON.parse(started.stdout));
  await untilAsked(runId);
  assert.equal((await jig('cancel', runId, '-m', 'enough')).exitCode, 0);
  const { exitCode, stdout } = await jig('follow', runId);
  assert.equal(exitCode, 4);
  assert.match(stdout, /cancelled: Cancelled by .*: enough/);
  assert.match((await jig('cancel', runId)).stderr, /error\[run-ended\]/);
  assert.match((await jig('diff', runId)).stderr, /error\[no-change\]/);
});

test('Ctrl-C while following only stops looking', async () => {
  const { runId } = Started.parse(JSON.parse((await jig('retry', '-', '--json')).stdout));
  await untilAsked(runId);
  const following = execa(process.execPath, [main, 'follow', runId], { env: quietEnv(env()), extendEnv: false, reject: false });
  await new Promise((resolve) => following.stdout.once('data', resolve));
  following.kill('SIGINT');
  const { exitCode, stderr } = await following;
  assert.equal(exitCode, 130);
  assert.match(stderr, /The run goes on\..*jig cancel/);
  assert.equal((await jig('reject', runId, '-m', 'no')).exitCode, 0);
  assert.equal((await jig('follow', runId)).exitCode, 4);
});

test('a repository under a name that another one has is refused', async () => {
  await mkdir(join(dir, 'other', 'api'), { recursive: true });
  const git = (...args: string[]) => execa('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], { cwd: join(dir, 'other', 'api') });
  await git('init', '--quiet', '--initial-branch=trunk');
  await git('commit', '--quiet', '--allow-empty', '--message', 'Other');
  const { exitCode, stderr } = await jig('repo', 'add', join(dir, 'other', 'api'));
  assert.equal(exitCode, 2);
  assert.match(stderr, /error\[repository-unrelated\]/);
  assert.equal((await jig('repo', 'add', 'other/api', '--name', 'other/api')).exitCode, 0);
  assert.match((await jig('repo', 'list')).stdout, /^local\/api +trunk[^]*other\/api/);
});

async function untilAsked(run: string): Promise<void> {
  const following = execa(process.execPath, [main, 'follow', run, '--json'], { env: quietEnv(env()), extendEnv: false, reject: false });
  await new Promise<void>((resolve) => {
    let text = '';
    following.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('"event":"waiting"')) resolve();
    });
    following.once('exit', () => resolve());
  });
  following.kill('SIGINT');
  await following;
}
