/** A test file is a process, and its modules are loaded by Node itself: what is tested is what runs in production. */
import { existsSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { boundedForks } from './test/runner/bounded-forks.ts';

/**
 * Suites on something real that takes minutes to build, and how many of their files run at once. They mostly wait, for
 * pods and a code host; but those of `cluster-switched` switch the network and the API server of their cluster off.
 */
const realSuites = { 'real-model': 2, 'real-forge': 2, cluster: 3, 'cluster-switched': 1 };
/** A few files run a Temporal server: more at once only makes them wait for each other. */
const ordinaryAtOnce = 2;
/** Several times what the longest file takes on a slow machine. */
const fileTimeoutMs = 8 * 60_000;
/** Of a test, and of each hook. */
const testTimeoutMs = 5 * 60_000;

export default defineConfig({
  test: {
    experimental: { diagnostics: false },
    projects: [
      defineSuites('ordinary', ordinaryAtOnce, ['test/**/*.test.ts'], [...Object.keys(realSuites), 'fixtures']),
      ...Object.entries(realSuites).map(([name, atOnce]) => defineSuites(name, atOnce, [`test/${name}/*.test.ts`])),
    ],
  },
});

/** @param without folders of test/ */
function defineSuites(
  name: string,
  filesAtOnce: number,
  include: string[],
  without: string[] = [],
): TestProjectInlineConfiguration {
  const preparation = `test/${name}/prepare.ts`;
  return {
    test: {
      name,
      include,
      exclude: without.map((folder) => `test/${folder}/**`),
      ...(existsSync(preparation) && { globalSetup: preparation }),
      maxWorkers: filesAtOnce,
      // Vitest wants projects that differ in their number of workers in groups of their own.
      sequence: { groupOrder: filesAtOnce },
      pool: boundedForks(fileTimeoutMs),
      testTimeout: testTimeoutMs,
      hookTimeout: testTimeoutMs,
      // Of tests in one file, where it lets them run at the same time.
      maxConcurrency: 2,
      disableConsoleIntercept: true,
      experimental: { viteModuleRunner: false, nodeLoader: false },
    },
  };
}
