/**
 * Bundles the workflows of the given entry for the parent process. It is a separate process because the bundler takes
 * 200 MB, which a worker would never release.
 */
import { bundleWorkflowCode } from '@temporalio/worker';

const { code } = await bundleWorkflowCode({
  workflowsPath: process.argv[2] ?? '',
  // Temporal compiles for older engines, which copies helpers into nearly every module: a hundred kilobytes in all.
  webpackConfigHook: (config) => {
    for (const rule of config.module?.rules ?? []) {
      const use = rule && typeof rule === 'object' ? rule.use : undefined;
      if (!use || typeof use !== 'object' || !('options' in use) || typeof use.options !== 'object') continue;
      Object.assign(use.options, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
    }
    return config;
  },
  logger: { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});
process.stdout.write(code);
