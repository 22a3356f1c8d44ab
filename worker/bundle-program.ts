/**
 * Bundles the workflows of the given entry for the parent process. It is a separate process because the bundler takes
 * 200 MB, which a worker would never release.
 */
import { bundleWorkflowCode } from '@temporalio/worker';

const { code } = await bundleWorkflowCode({
  workflowsPath: process.argv[2] ?? '',
  logger: { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});
process.stdout.write(code);
