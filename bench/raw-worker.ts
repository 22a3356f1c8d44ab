/** The worker without Jig, for comparison: the same server, sandbox and store as Jig's. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker, type NativeConnection } from '@temporalio/worker';
import type { Parts } from '../activities/parts.ts';
import type { SandboxRef } from '../sandbox/contract.ts';

export const rawTaskQueue = 'bench-raw';

interface RawTurn {
  sandbox: SandboxRef;
  key: string;
  index: number;
}

export type RawActivities = ReturnType<typeof createRawActivities>;

function createRawActivities({ sandboxes, artifacts }: Pick<Parts, 'sandboxes' | 'artifacts'>) {
  const run = async (ref: SandboxRef, key: string, argv: string[]): Promise<number> => {
    const sandbox = await sandboxes.getSandbox(ref);
    return (await sandbox.run({ key, argv, timeoutMs: 60_000, outputCapBytes: 1 << 20 })).exitCode;
  };
  const put = async (value: unknown) => artifacts.put(Buffer.from(JSON.stringify(value)), 'application/json');
  /** A transcript holds a reference to each of its messages. */
  const putTranscript = async (key: string, messages: number) =>
    put(
      Array.from({ length: messages }, (_, index) => ({
        role: 'tool',
        tokens: 10,
        ref: `${key}/${index}`.padEnd(64, '0'),
      })),
    );
  return {
    rawCommand: async ({ sandbox, key }: Pick<RawTurn, 'sandbox' | 'key'>) => run(sandbox, key, ['true']),
    /** Keeps the answer by its key, and the message and the transcript. */
    async rawAsk({ key, index }: RawTurn) {
      await artifacts.keep(`${key}/ask`, await put({ answer: key }));
      await put({ message: key });
      return putTranscript(key, 2 * index + 3);
    },
    /** Carries out the call. Keeps its result by its key, and the message and the transcript. */
    async rawAct({ sandbox, key, index }: RawTurn) {
      await run(sandbox, key, ['sh', '-c', `: ${index}`]);
      await put({ result: key });
      await putTranscript(key, 2 * index + 4);
      return artifacts.keep(`${key}/act`, await put({ kept: key }));
    },
  };
}

export async function startRawWorker(
  connection: NativeConnection,
  parts: Parts,
): Promise<{ stop: () => Promise<void> }> {
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('raw-workflows.ts', import.meta.url)),
    logger: { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const worker = await Worker.create({
    connection,
    taskQueue: rawTaskQueue,
    workflowBundle,
    activities: createRawActivities(parts),
  });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
