/** Commands of a boxed pod behind an API server that plays a script. */
import { readFile } from 'node:fs/promises';
import type { CommandSpec, RunOptions } from '../../sandbox/contract.ts';
import { runInPod, type PodCommandTarget } from '../../k8s/pod-command.ts';
import type { BoxedPod } from './boxed-pod.ts';
import { startApiServer, type ApiServerScript } from './scripted-api-server.ts';

export interface Connection {
  pod: BoxedPod;
  outputDir: string;
  /** It serves where missing. */
  script?: ApiServerScript;
  changes?: Partial<PodCommandTarget>;
}

export async function connectPod({ pod, outputDir, script = { onExec: pod.serve }, changes = {} }: Connection) {
  const server = await startApiServer(script);
  const target: PodCommandTarget = {
    ...server.target,
    incarnation: pod.incarnation,
    nonce: 'a nonce',
    env: { OF_THE_SANDBOX: 'yes' },
    outputDir,
    checkPod: async () => await Promise.resolve('same'),
    ...changes,
  };
  const run = async (spec: CommandSpec, options?: RunOptions) => {
    const result = await runInPod(target, spec, options);
    return {
      result,
      stdout: await readFile(result.stdout.path, 'utf8'),
      stderr: await readFile(result.stderr.path, 'utf8'),
    };
  };
  return { server, target, run, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}
