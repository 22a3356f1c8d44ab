/**
 * Everything that `npm test` is: types, lint, unused code, and the tests of every folder under test/; or the suites that
 * are named. Its last line counts them all. Plain JavaScript: it installs what is missing first.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, exitOnSetupFailure, findNode24, root } from '../bin/install.mjs';

/** Suites on something real that takes minutes to build, by the word that asks for each: only where they are asked for. */
const real = {
  model: 'real-model',
  'real-forge': 'real-forge',
  cluster: 'cluster',
  'cluster-switched': 'cluster-switched',
};
/**
 * Suites that mostly wait, for pods and a code host, so each runs beside the others; and how many of its files run at
 * once. Those of `cluster-switched` switch the network and the API server of a cluster of their own off.
 */
const waiting = { 'real-forge': 2, cluster: 3, 'cluster-switched': 1 };
/** A suite's program that builds for minutes what its tests need, which each have a time of their own. */
const preparation = 'prepare.ts';
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
/** Each file is a process, and a few of them run a Temporal server: more at once only makes them wait for each other. */
const concurrency = 2;
/** Several hundred processes of Node load the same modules. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'jig') };

const node = await exitOnSetupFailure(async () => {
  await ensureInstalled();
  return findNode24();
});
const suites = readdirSync(join(root, 'test'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && testFiles(join(root, 'test', entry.name)).length > 0)
  .map(({ name }) => name);
const options = process.argv.slice(2).filter((word) => word === currentCluster);
const asked = process.argv
  .slice(2)
  .filter((word) => !options.includes(word))
  .map((name) => real[name] ?? name);
const unknown = asked.filter((name) => !(name in tools) && !suites.includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no suite ${unknown.join(', ')}. The suites are: ${[...Object.keys(tools), ...suites].join(', ')}\n`,
  );
  process.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const name of Object.keys(tools).filter((tool) => asked.length === 0 || asked.includes(tool))) await runTool(name);
const folders =
  asked.length === 0
    ? suites.filter((name) => !Object.values(real).includes(name))
    : suites.filter((name) => asked.includes(name));
const plain = folders.filter((name) => !(name in waiting));
await prepare(folders);
if (plain.length > 0) await runTests(plain, { concurrency });
const beside = [];
for (const [name, concurrency] of Object.entries(waiting).filter(([name]) => folders.includes(name))) {
  const within = name.startsWith('cluster') ? [join(root, 'test/cluster/with-cluster.ts'), ...options, node] : [];
  // What they say comes one after the other.
  const turn = beside.length > 0 ? Promise.all(beside.slice()) : undefined;
  beside.push(runTests([name], { concurrency, within, turn }));
}
await Promise.all(beside);
end();

function end() {
  const { passed, failed, skipped } = counts;
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  process.exit(failed === 0 && passed + skipped > 0 ? 0 : 1);
}

async function runTool(name) {
  const [program, ...words] = tools[name];
  const path = join(root, 'node_modules', program);
  const exitCode = await run([path, ...words]);
  process.stdout.write(`${exitCode === 0 ? '✔' : '✖'} ${name}\n`);
  counts[exitCode === 0 ? 'passed' : 'failed'] += 1;
}

async function prepare(folders) {
  for (const program of folders
    .map((folder) => join(root, 'test', folder, preparation))
    .filter((path) => existsSync(path))) {
    if ((await run([program, ...options])) === 0) continue;
    // Its tests would build it, in a test's time.
    process.stdout.write(`✖ ${program}\n`);
    counts.failed += 1;
    end();
  }
}

/** `within`: the words by which node runs a program that runs the tests. `turn`: when they may say something. */
async function runTests(folders, { concurrency, within = [], turn }) {
  const scratch = mkdtempSync(join(tmpdir(), 'jig-test-'));
  const summaryFile = join(scratch, 'summary.json');
  try {
    const exitCode = await run(
      [
        ...within,
        '--test',
        `--test-concurrency=${concurrency}`,
        '--test-timeout=300000',
        `--import=${pathToFileURL(join(root, 'scripts', 'test-ends.mjs')).href}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${join(root, 'scripts', 'test-summary.mjs')}`,
        `--test-reporter-destination=${summaryFile}`,
        ...folders.map((folder) => join(root, 'test', folder, '**', '*.test.ts')),
      ],
      turn,
    );
    if (within.length > 0 && exitCode === noCluster)
      counts.skipped += folders.flatMap((folder) => testFiles(join(root, 'test', folder))).length;
    else addCounts(existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '', exitCode);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Files that could not even start have no counts of their own, so a bad exit code is never nothing. */
function addCounts(summary, exitCode) {
  const last = summary.trim().split('\n').at(-1);
  const found = last ? JSON.parse(last) : { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  counts.passed += found.passed;
  counts.skipped += found.skipped + found.todo;
  counts.failed += Math.max(found.failed + found.cancelled, exitCode === 0 ? 0 : 1);
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

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'fixtures' ? [] : testFiles(join(folder, entry.name));
    return entry.name.endsWith('.test.ts') ? [join(folder, entry.name)] : [];
  });
}
