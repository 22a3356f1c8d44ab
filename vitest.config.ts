/** Each test file runs in its own process. Node itself loads the modules, so the tested code is the production code. */
import { existsSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { boundedForks } from './test/runner/bounded-forks.ts';

/**
 * Suites on something real that takes minutes to build, and how many of their files run at once. Most files wait for
 * pods or a code host. The files of `cluster-switched` switch off their cluster's network or API server, so they run one
 * after the other.
 */
const realSuites = { 'real-model': 2, 'real-forge': 2, cluster: 3, 'cluster-switched': 1 };
/** Some files run a Temporal server, so more files at once would only wait for each other. */
const ordinaryAtOnce = 2;
/** Several times what the longest file takes on a slow machine. */
const fileTimeoutMs = 8 * 60_000;
/** The limit for a test, and for each hook. */
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
      // Vitest requires that projects with different numbers of workers are in different groups.
      sequence: { groupOrder: filesAtOnce },
      pool: boundedForks(fileTimeoutMs),
      testTimeout: testTimeoutMs,
      hookTimeout: testTimeoutMs,
      // The limit for simultaneous tests in a file that allows them.
      maxConcurrency: 2,
      disableConsoleIntercept: true,
      experimental: { viteModuleRunner: false, nodeLoader: false },
    },
  };
}
