/**
 * Everything that `npm test` is: types, lint, unused code, and the tests of every folder under test/; or the suites that
 * are named. Its last line counts them all. Plain JavaScript: it installs what is missing first.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, findNode24, orSayWhy, root } from '../bin/install.mjs';

/** Needs a real model, which takes minutes to build: a command of its own. */
const model = 'real-model';
const tools = {
  types: ['typescript/bin/tsc'],
  lint: ['oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  unused: ['knip/bin/knip.js'],
};
/** Each file is a process, and a few of them run a Temporal server: more at once only makes them wait for each other. */
const concurrency = 2;

const node = await orSayWhy(async () => {
  await ensureInstalled();
  return findNode24();
});
const suites = readdirSync(join(root, 'test'), { withFileTypes: true }).filter((entry) => entry.isDirectory() && hasTests(join(root, 'test', entry.name))).map(({ name }) => name);
const asked = process.argv.slice(2).map((name) => (name === 'model' ? model : name));
const unknown = asked.filter((name) => !(name in tools) && !suites.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`There is no suite ${unknown.join(', ')}. The suites are: ${[...Object.keys(tools), ...suites].join(', ')}\n`);
  process.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const name of Object.keys(tools).filter((tool) => asked.length === 0 || asked.includes(tool))) await runTool(name);
const folders = asked.length === 0 ? suites.filter((name) => name !== model) : suites.filter((name) => asked.includes(name));
if (folders.length > 0) await runTests(folders);
const { passed, failed, skipped } = counts;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exit(failed === 0 && passed + skipped > 0 ? 0 : 1);

async function runTool(name) {
  const [program, ...words] = tools[name];
  const path = join(root, 'node_modules', program);
  const exitCode = await run([path, ...words]);
  process.stdout.write(`${exitCode === 0 ? '✔' : '✖'} ${name}\n`);
  counts[exitCode === 0 ? 'passed' : 'failed'] += 1;
}

async function runTests(folders) {
  const scratch = mkdtempSync(join(tmpdir(), 'jig-test-'));
  const summaryFile = join(scratch, 'summary.json');
  try {
    const exitCode = await run([
      '--test', `--test-concurrency=${concurrency}`, '--test-timeout=300000',
      '--test-reporter=spec', '--test-reporter-destination=stdout',
      `--test-reporter=${join(root, 'scripts', 'test-summary.mjs')}`, `--test-reporter-destination=${summaryFile}`,
      ...folders.map((folder) => join(root, 'test', folder, '**', '*.test.ts')),
    ]);
    addCounts(existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '', exitCode);
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

function run(words) {
  const child = spawn(node, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => (signal ? process.exit(130) : resolve(code)));
  });
}

function hasTests(folder) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => (entry.isDirectory() ? entry.name !== 'fixtures' && hasTests(join(folder, entry.name)) : entry.name.endsWith('.test.ts')));
}
