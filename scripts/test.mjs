/**
 * Runs everything of `npm test`: types, format, lint, unused code, and the tests of every folder under test/; or only
 * the named suites. Vitest runs the tests (vitest.config.ts). The last line counts the results. It is plain JavaScript,
 * because it installs what is missing first.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, exitOnSetupFailure, findNode24, root } from '../bin/install.mjs';

/** Suites on something real, which run only if they are named. Each is a Vitest project; all others are one project. */
const real = ['real-model', 'real-forge', 'cluster', 'cluster-switched'];
/** Those of them that mostly wait for pods or a code host, so they run at the same time. */
const waiting = ['real-forge', 'cluster', 'cluster-switched'];
/** `--current`: run the cluster suites on the current kubeconfig's cluster, instead of making one for each. */
const currentCluster = '--current';
/** `--prepare`: only build what the named suites need, which can take minutes the first time. */
const onlyPrepare = '--prepare';
/** The exit code of `test/cluster/with-cluster.ts` if no cluster can be made. */
const noCluster = 77;
const tools = {
  types: ['typescript/bin/tsc'],
  format: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '**/*.{ts,mjs}'],
  lint: ['oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  unused: ['knip/bin/knip.js'],
};
/** Several hundred Node processes load the same modules, so compiled code is cached. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'jig') };

const node = await exitOnSetupFailure(async () => {
  await ensureInstalled();
  return findNode24();
});
const suites = readdirSync(join(root, 'test')).filter((name) => countTestFiles(name) > 0);
const words = process.argv.slice(2);
const options = words.filter((word) => word === currentCluster || word === onlyPrepare);
const asked = words.filter((word) => !options.includes(word));
const unknown = asked.filter((name) => !(name in tools) && !suites.includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no suite ${unknown.join(', ')}. The suites are: ${[...Object.keys(tools), ...suites].join(', ')}\n`,
  );
  process.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
if (options.includes(onlyPrepare)) {
  for (const name of asked) await prepare(name);
  process.exit(0);
}
for (const name of Object.keys(tools).filter((tool) => asked.length === 0 || asked.includes(tool))) await runTool(name);
const ordinary = suites.filter((name) => asked.includes(name) && !real.includes(name));
if (asked.length === 0 || ordinary.length > 0) await runTests('ordinary', ordinary);
if (asked.includes('real-model')) await runTests('real-model');
await runBeside(waiting.filter((name) => asked.includes(name)));
end();

function end() {
  const { passed, failed, skipped } = counts;
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  process.exit(failed === 0 && passed + skipped > 0 ? 0 : 1);
}

async function runTool(name) {
  const [program, ...rest] = tools[name];
  const exitCode = await run([join(root, 'node_modules', program), ...rest]);
  process.stdout.write(`${exitCode === 0 ? '✔' : '✖'} ${name}\n`);
  counts[exitCode === 0 ? 'passed' : 'failed'] += 1;
}

/** Runs suites at the same time, and prints their outputs one after the other. */
async function runBeside(names) {
  // Each suite would build what it needs at its start. Built here, one after the other, everything is built once.
  for (const name of names) await prepare(name);
  const running = [];
  for (const name of names) {
    const within = name.startsWith('cluster') ? [join(root, 'test/cluster/with-cluster.ts'), ...options, node] : [];
    running.push(runTests(name, [], { within, turn: running.length > 0 ? Promise.all(running.slice()) : undefined }));
  }
  await Promise.all(running);
}

async function prepare(name) {
  const program = join(root, 'test', name, 'prepare.ts');
  if (!existsSync(program) || (await run([program, ...options])) === 0) return;
  process.stdout.write(`✖ ${program}\n`);
  counts.failed += 1;
  end();
}

/**
 * Runs tests.
 * @param project the Vitest project; `folders` limits it to these folders of test/. `within`: the words that start a
 * program around the tests. `turn`: when the output may be printed.
 */
async function runTests(project, folders = [], { within = [], turn } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'jig-test-'));
  const resultFile = join(scratch, 'result.json');
  try {
    const exitCode = await run(
      [
        ...within,
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        `--project=${project}`,
        ...(process.stdout.isTTY ? ['--reporter=default'] : ['--reporter=verbose', '--no-color']),
        '--reporter=json',
        `--outputFile.json=${resultFile}`,
        ...folders.map((folder) => `test/${folder}/`),
      ],
      turn,
    );
    if (within.length > 0 && exitCode === noCluster) counts.skipped += countTestFiles(project);
    else addCounts(existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : undefined, exitCode);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Adds up the results. A file that could not be loaded counts as failed without a failed test, and a bad exit code is
 * never ignored.
 */
function addCounts(result, exitCode) {
  let failed = 0;
  for (const { status, assertionResults: tests } of result?.testResults ?? []) {
    const failedTests = tests.filter((test) => test.status === 'failed').length;
    const passedTests = tests.filter((test) => test.status === 'passed').length;
    counts.passed += passedTests;
    counts.skipped += tests.length - passedTests - failedTests;
    failed += status === 'failed' ? Math.max(failedTests, 1) : failedTests;
  }
  counts.failed += Math.max(failed, exitCode === 0 ? 0 : 1);
}

/** Runs a program and returns its exit code. If `turn` is given, its output is held back until then. */
function run(words, turn) {
  const output = turn ? 'pipe' : 'inherit';
  const child = spawn(node, words, { cwd: root, stdio: ['ignore', output, output], env });
  if (turn) for (const stream of [child.stdout, child.stderr]) void sayInTurn(stream, turn);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => (signal ? process.exit(130) : resolve(code)));
  });
}

async function sayInTurn(stream, turn) {
  let held = [];
  stream.on('data', (chunk) => (held ? held.push(chunk) : process.stdout.write(chunk)));
  await turn;
  for (const chunk of held) process.stdout.write(chunk);
  held = undefined;
}

function countTestFiles(name) {
  const folder = join(root, 'test', name);
  if (name === 'fixtures' || !statSync(folder).isDirectory()) return 0;
  return readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.test.ts')).length;
}
