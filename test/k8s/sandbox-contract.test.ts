import { afterAll, beforeAll } from 'vitest';
import { sandboxContract } from '../sandbox/contract.ts';
import { copyContract } from '../sandbox/copy-contract.ts';
import { temporaryFolder } from '../sandbox/fixtures.ts';
import { createBoxedProvider } from './boxed-provider.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

const createProvider = async () => {
  const provider = createBoxedProvider(folder.path);
  return await Promise.resolve({ provider, close: provider.close });
};
sandboxContract('a pod’s commands', createProvider);
copyContract('a pod’s commands', createProvider);
