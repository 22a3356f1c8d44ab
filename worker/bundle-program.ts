/** A process that bundles the workflows of the entry that it is given, for its parent: the bundler takes 200 MB, which a worker would hold for ever. */
import { bundleWorkflowCode } from '@temporalio/worker';

const { code } = await bundleWorkflowCode({
  workflowsPath: process.argv[2] ?? '',
  logger: { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});
process.stdout.write(code);
