/** A worker of another process: `node other-worker.ts ROOT BWRAP REF SPEC` says `saw` at the first output, then the result. */
import { z } from 'zod';
import { SandboxRef } from '../../sandbox/contract.ts';
import { createLocalProvider } from '../../sandbox/local/provider.ts';

const [rootDir = '', bwrapPath = '', ref = '', spec = ''] = process.argv.slice(2);
const Spec = z.object({
  key: z.string(),
  argv: z.array(z.string()),
  timeoutMs: z.number(),
  outputCapBytes: z.number(),
});
const sandbox = await createLocalProvider({ rootDir, bwrapPath }).getSandbox(SandboxRef.parse(JSON.parse(ref)));
const result = await sandbox.run(Spec.parse(JSON.parse(spec)), { onOutput: () => console.log('saw') });
console.log(JSON.stringify(result));
