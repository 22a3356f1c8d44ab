import { afterAll, beforeAll } from 'vitest';
import { createLocalProvider } from '../../sandbox/local/provider.ts';
import { copyContract } from './copy-contract.ts';
import { findBwrap, temporaryFolder } from './fixtures.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

copyContract(
  'local',
  async () => {
    const provider = createLocalProvider({ rootDir: `${folder.path}/local`, bwrapPath: await findBwrap() });
    return { provider, close: provider.close };
  },
  5,
);

copyContract('unsafe-process', async () => {
  const options = { rootDir: `${folder.path}/unsafe`, bwrapPath: '/nonexistent', unsafeProcess: true };
  const provider = createLocalProvider(options);
  return await Promise.resolve({ provider, close: provider.close });
});
