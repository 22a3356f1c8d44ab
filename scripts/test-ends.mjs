/**
 * Loaded into each test file's process, so that it ends. node:test has a bound for each test, but none for a file: one
 * whose hooks wait for ever, or whose failed test left a server or a child open, would hold up all the others. Such a
 * file ends here as failed, and says what it was about.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { after } from 'node:test';

/** Several times what the longest file takes on a slow machine. */
const fileTimeoutMs = 8 * 60_000;
/** For what a file's own hooks still stop. */
const graceMs = 60_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => end(`has not ended its tests within ${fileTimeoutMs / 60_000} minutes`), fileTimeoutMs).unref();
  after(() => setTimeout(() => end('has ended its tests and does not end'), graceMs).unref());
}

function end(what) {
  const left = children();
  const open =
    process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'PipeWrap')
      .join(', ') || 'nothing';
  process.stderr.write(
    `${relative(process.cwd(), process.argv[1] ?? '')} ${what}. Open: ${open}. Children: ${left.map(({ pid, words }) => `${pid} ${words}`).join('; ') || 'none'}\n`,
  );
  for (const { pid } of left) process.kill(pid, 'SIGTERM');
  process.exit(1);
}

/** This process's children, as far as the kernel tells. */
function children() {
  const ofThread = (thread) => readOrNothing(`/proc/self/task/${thread}/children`).trim().split(' ').filter(Boolean);
  return (existsSync('/proc/self/task') ? readdirSync('/proc/self/task') : [])
    .flatMap(ofThread)
    .map((pid) => ({ pid: Number(pid), words: readOrNothing(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ words }) => words !== '');
}

/** What is read here may go away meanwhile. */
function readOrNothing(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
