import { afterAll, beforeAll } from 'vitest';
import { createLocalProvider } from '../../sandbox/local/provider.ts';
import { sandboxContract } from './contract.ts';
import { findBwrap, temporaryFolder } from './fixtures.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

sandboxContract('local', async () => {
  const provider = createLocalProvider({ rootDir: `${folder.path}/local`, bwrapPath: await findBwrap() });
  return { provider, close: provider.close };
});

sandboxContract('unsafe-process', async () => {
  const provider = createLocalProvider({
    rootDir: `${folder.path}/unsafe`,
    bwrapPath: '/nonexistent',
    unsafeProcess: true,
  });
  return { provider, close: provider.close };
});
