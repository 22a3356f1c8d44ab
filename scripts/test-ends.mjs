/**
 * Loaded into each test file's process. What a test that failed left open (a server, a child) would keep its process
 * alive, and node:test waits for it without a bound: here such a file ends, and says what it left.
 */
import { relative } from 'node:path';
import { after } from 'node:test';

/** For what a file's own hooks still stop. */
const graceMs = 60_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => setTimeout(() => {
    const left = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
    process.stderr.write(`${relative(process.cwd(), process.argv[1] ?? '')} has ended its tests and does not end: ${left.join(', ')} left open\n`);
    process.exit(1);
  }, graceMs).unref());
}
