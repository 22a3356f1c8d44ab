import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { commands } from '../../cli/commands.ts';
import { exitCodeOf } from '../../cli/exit-codes.ts';
import { failureExitCode, failureJson, renderFailure } from '../../cli/failure.ts';
import { createPaint } from '../../cli/output.ts';
import { JigError } from '../../base/errors.ts';
import { jig, root } from './jig.ts';

const plain = createPaint(false);

test('help lists every command and teaches by examples', async () => {
  const { exitCode, stdout } = await jig(['--help']);
  assert.equal(exitCode, 0);
  for (const name of Object.keys(commands)) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  assert.match(stdout, /jig run python-utcnow --repo/);
  assert.match(stdout, /Exit codes:/);
});

test('every command is a file that says what it does, and its help needs no server', async () => {
  const files = await readdir(join(root, 'cli'));
  for (const [name, { load }] of Object.entries(commands)) {
    assert.ok(files.includes(`${name}.ts`), name);
    const command = await load();
    assert.equal(command.name(), name);
    assert.match(command.description(), /\w/, name);
    assert.match(command.helpInformation(), /Usage:/);
  }
});

test('a blueprint that is missing, an unknown command and an unknown option are bad input', async () => {
  for (const [args, said] of [
    [['run', '--repo', '.'], /missing required argument 'blueprint'/],
    [['run', 'python-utcnow'], /required option '--repo/],
    [['chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [['runs', '--outcom', 'failed'], /unknown option '--outcom'\n\(Did you mean --outcome\?\)/],
    [['runs', '--outcome', 'good'], /Allowed choices are succeeded/],
    [['reject', '-'], /required option '-m, --message/],
    [['runs', '--limit', 'abc'], /'--limit <number>' argument 'abc' is invalid. It must be a whole number/],
    [['runs', '--limit', '0'], /whole number from 1/],
    [['up', '--port', '70000'], /whole number from 0 to 65535/],
    [['repo', 'add', '.', '--name', `local/${'a'.repeat(300)}`], /must be OWNER\/NAME/],
    [['repo', 'add', '.', '--name', '../x'], /must be OWNER\/NAME/],
    [['repo', 'add', '.', '--branch', 'main~0'], /must be the name of a branch/],
    [['run', 'x', '--repo', '.', '--branch', 'HEAD^'], /must be the name of a branch/],
    [['run', 'x', '--repo', '.', '--key', ' '], /1 to 200 characters/],
    [['cancel', '-', '--by', ''], /1 to 200 characters/],
    [['change', 'approve', 'x#1', '--by', ' '], /1 to 200 characters/],
    [['check', '/dev/zero'], /\/dev\/zero can't be read: it is a device/],
  ] as const) {
    const { exitCode, stderr, stdout } = await jig([...args]);
    assert.equal(exitCode, 2, args.join(' '));
    assert.match(stderr, said);
    assert.equal(stdout, '');
  }
});

test('a setting in the environment that can’t be used is bad input', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'jig-usage-'));
  const file = join(root, 'package.json');
  for (const [args, env, code] of [
    [['up'], { JIG_MODEL: 'x', JIG_MODEL_PROTOCOL: 'carrier-pigeon' }, 'model-config-invalid'],
    [['worker'], { JIG_MODEL: 'x', JIG_MODEL_TEMPERATURE: 'hot' }, 'model-config-invalid'],
    [['runs'], { TEMPORAL_PROFILE: 'nobody' }, 'config-invalid'],
    [['repo', 'list'], { JIG_DATA_DIR: file }, 'data-folder-unusable'],
    [['up'], { JIG_DATA_DIR: join(file, 'data') }, 'data-folder-unusable'],
  ] as const) {
    const { exitCode, stderr } = await jig([...args], { env: { JIG_DATA_DIR: folder.path, ...env } });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, new RegExp(`^error\\[${code}\\]`));
  }
});

test('the blueprint is checked before Temporal is asked anything', async () => {
  const { exitCode, stderr } = await jig(['run', '-', '--repo', '.'], {
    input: 'blueprint: v1\nname: x\nsteps:\n  - rum: x\n',
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
  assert.equal(exitCode, 2);
  assert.match(stderr, /-:4:5/);
  assert.match(stderr, /error\[blueprint-invalid\]: - has problems, so nothing was started/);
});

test('all inputs are checked before Temporal is asked anything', async () => {
  const input =
    'blueprint: v1\nname: x\ninputs:\n  count: { type: integer }\n  folder: { type: string }\nsteps:\n  - run: "true"\n';
  const { exitCode, stdout } = await jig(['run', '-', '--repo', '.', '--json', '-i', 'count=many', '-i', 'foldr=src'], {
    input,
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
  assert.equal(exitCode, 2);
  const { error } = JSON.parse(stdout) as { error: { code: string; issues: { code: string }[] } };
  assert.deepEqual(error.issues.map(({ code }) => code).toSorted(), [
    'invalid-input',
    'missing-input',
    'unknown-input',
  ]);
});

test('for an unknown blueprint, the message lists the library', async () => {
  const { exitCode, stderr } = await jig(['run', 'python-utcnw', '--repo', '.']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /error\[blueprint-not-found\].*\n.*python-utcnow/);
});

test('without Temporal, commands fail with a hint instead of a stack', async () => {
  const { exitCode, stderr } = await jig(['runs'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
  assert.equal(exitCode, 1);
  assert.match(
    stderr,
    /^error\[temporal-unreachable\]: Temporal does not answer at 127\.0\.0\.1:1\n {2}Start `jig up`/,
  );
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('each outcome has its exit code', () => {
  assert.deepEqual(
    (['succeeded', 'nothing-to-do', 'failed', 'needs-human', 'cancelled'] as const).map((outcome) =>
      exitCodeOf(outcome),
    ),
    [0, 0, 1, 3, 4],
  );
});

test('a known failure shows a stack only on request; an unexpected one is an internal error and shows it', () => {
  const known = new JigError('temporal-unreachable', 'No \u001B[31mTemporal', { hint: 'Start it.' });
  assert.equal(failureExitCode(known), 1);
  assert.equal(
    renderFailure(known, { paint: plain, debug: false }),
    'error[temporal-unreachable]: No \\u{1b}[31mTemporal\n  Start it.\n  docs/errors/temporal-unreachable.md explains why, and what to do',
  );
  assert.match(renderFailure(known, { paint: plain, debug: true }), /\n {4}at /);
  assert.deepEqual(failureJson(known), {
    error: { code: 'temporal-unreachable', message: 'No \u001B[31mTemporal', hint: 'Start it.' },
  });
  const unknown = new TypeError('oops');
  assert.equal(failureExitCode(unknown), 70);
  assert.match(
    renderFailure(unknown, { paint: plain, debug: false }),
    /^error\[internal-error\].*\nTypeError: oops\n {4}at /,
  );
});
