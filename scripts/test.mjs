/**
 * Everything that `npm test` is: types, format, lint, unused code, and the tests of every folder under test/; or the
 * suites that are named. Vitest runs the tests (vitest.config.ts). The last line counts it all. Plain JavaScript: it
 * installs what is missing first.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, exitOnSetupFailure, findNode24, root } from '../bin/install.mjs';

/** Suites on something real: only where they are asked for. Each is a project of Vitest's; the others are one together. */
const real = ['real-model', 'real-forge', 'cluster', 'cluster-switched'];
/** Those of them that mostly wait, for pods and a code host, so each runs beside the others. */
const waiting = ['real-forge', 'cluster', 'cluster-switched'];
/** `--current`: the suites on a cluster on the current kubeconfig's, instead of one that is made for each. */
const currentCluster = '--current';
/** How `test/cluster/with-cluster.ts` ends where there can be no cluster. */
const noCluster = 77;
const tools = {
  types: ['typescript/bin/tsc'],
  format: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '**/*.{ts,mjs}'],
  lint: ['oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  unused: ['knip/bin/knip.js'],
};
/** Several hundred processes of Node load the same modules. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'jig') };

const node = await exitOnSetupFailure(async () => {
  await ensureInstalled();
  return findNode24();
});
const suites = readdirSync(join(root, 'test')).filter((name) => countTestFiles(name) > 0);
const words = process.argv.slice(2);
const options = words.filter((word) => word === currentCluster);
const asked = words.filter((word) => !options.includes(word));
const unknown = asked.filter((name) => !(name in tools) && !suites.includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no suite ${unknown.join(', ')}. The suites are: ${[...Object.keys(tools), ...suites].join(', ')}\n`,
  );
  process.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
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

/** Runs suites at the same time; what they say comes one after the other. */
async function runBeside(names) {
  // What each builds at its start, where nobody did; built one after the other, it is built once.
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
 * @param project of Vitest's; `folders` are those of test/ to which it is narrowed
 * `within`: the words by which node runs a program that runs the tests. `turn`: when they may say something.
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

/** A file that could not be loaded has failed without a failed test of its own; and a bad exit code is never nothing. */
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

/** Its exit code. What it says is held until `turn`, where there is one. */
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
