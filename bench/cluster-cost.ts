/**
 * Compares pods and commands in them with the bare client library, on a real cluster, and counts a run's requests to
 * the API server. It needs a test cluster: `npm run bench cluster` starts one.
 */
import diagnostics from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Sandbox, SandboxSpec } from '../sandbox/contract.ts';
import { getCluster } from '../test/cluster/cluster.ts';
import { createWorld, type World } from '../test/e2e/harness.ts';
import { createBareClient } from './bare-pods.ts';
import { percentile, sample, type Measurement } from './measurement.ts';

const coldRounds = 15;
const commandRounds = 101;
const commands = 10;

const steps = `blueprint: v1\nname: ten-commands\nsteps:\n${Array.from({ length: commands }, (_, index) => `  - { id: s${index}, run: [ "true" ] }\n`).join('')}`;

export async function clusterCost(): Promise<Measurement[]> {
  const cluster = await getCluster();
  const namespace = await cluster.createNamespace();
  process.env['KUBECONFIG'] = cluster.kubeconfigPath;
  const config = {
    sandbox: {
      provider: 'kubernetes',
      kubernetes: {
        namespace: namespace.name,
        image: cluster.image,
        imagePullPolicy: 'IfNotPresent',
        requestShare: 0.05,
      },
    },
  };
  const world = await createWorld({ config });
  try {
    await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(cluster.kubeconfigPath);
    const bare = createBareClient(kubeConfig, namespace.name);
    // The first sandbox of a process also tests the network.
    await coldSandbox(world, 'warm');
    return [
      ...(await coldCost(world, bare)),
      ...(await commandCost(world, bare)),
      {
        what: `requests to the API server for a run of ${commands} commands`,
        unit: 'requests',
        measured: await countRequests(world, kubeConfig),
        goal: { kind: 'at-most', limit: 25 },
      },
    ];
  } finally {
    await world[Symbol.asyncDispose]();
    await namespace.remove();
  }
}

type BareClient = ReturnType<typeof createBareClient>;

async function coldCost(world: World, bare: BareClient): Promise<Measurement[]> {
  // The bare pods equal ours except for the name, so that both ask the same of the node.
  const { ref } = await ensure(world, 'model');
  const pod = await bare.copyPod(ref.incarnation);
  await world.parts.sandboxes.destroySandbox(ref.id);
  const taken = await sample(
    coldRounds,
    async (round) => coldSandbox(world, `cold-${round}`),
    async (round) => bare.coldPod(pod, `bare-${round}`),
  );
  return both('cold pod to its first output byte', taken, 'create and exec by the client library', 1.15);
}

async function commandCost(world: World, bare: BareClient): Promise<Measurement[]> {
  const sandbox = await ensure(world, 'commands');
  try {
    const name = await bare.findName(sandbox.ref.incarnation);
    const taken = await sample(
      commandRounds,
      async (round) =>
        timed(() => sandbox.run({ key: `round-${round}`, argv: ['true'], timeoutMs: 60_000, outputCapBytes: 1024 })),
      async () => timed(() => bare.exec(name, ['true'])),
    );
    return both('a supervised command in a pod', taken, 'a bare exec', 1.2);
  } finally {
    await world.parts.sandboxes.destroySandbox(sandbox.ref.id);
  }
}

function both(
  what: string,
  taken: { ours: number[]; floor: number[] },
  floorWhat: string,
  limit: number,
): Measurement[] {
  return [50, 95].map((percent) => ({
    what: `${what}, p${percent}`,
    unit: 'ms',
    measured: percentile(taken.ours, percent),
    floor: { what: floorWhat, measured: percentile(taken.floor, percent) },
    goal: { kind: 'ratio', limit },
  }));
}

async function ensure(world: World, id: string): Promise<Sandbox> {
  const spec: SandboxSpec = {
    id: `bench/${id}`,
    resources: { cpu: 1, memoryBytes: 512 << 20, diskBytes: 512 << 20, processes: 100 },
    egress: [],
    env: {},
    leaseMs: 3_600_000,
  };
  return await world.parts.sandboxes.ensureSandbox(spec);
}

/** Milliseconds from no pod to the first byte of a command's output. */
async function coldSandbox(world: World, id: string): Promise<number> {
  const startedAt = performance.now();
  const sandbox = await ensure(world, id);
  let firstByteMs = Number.NaN;
  const onOutput = (): void =>
    void (firstByteMs = Number.isNaN(firstByteMs) ? performance.now() - startedAt : firstByteMs);
  await sandbox.run({ key: 'first', argv: ['echo', 'hello'], timeoutMs: 60_000, outputCapBytes: 1024 }, { onOutput });
  await world.parts.sandboxes.destroySandbox(sandbox.ref.id);
  return firstByteMs;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const OverHttp = z.object({ request: z.instanceof(ClientRequest) });
const OverFetch = z.object({ request: z.object({ origin: z.union([z.string(), z.instanceof(URL)]) }) });

/** Counts the requests of this process to the API server from the start of a run to its end. */
async function countRequests(world: World, kubeConfig: KubeConfig): Promise<number> {
  const host = new URL(kubeConfig.getCurrentCluster()?.server ?? '').host;
  let count = 0;
  const ofHttp = (message: unknown): void => {
    const { request } = OverHttp.parse(message);
    if (request.getHeader('host') === host) count += 1;
  };
  const ofFetch = (message: unknown): void => {
    if (new URL(OverFetch.parse(message).request.origin).host === host) count += 1;
  };
  diagnostics.subscribe('http.client.request.start', ofHttp);
  diagnostics.subscribe('undici:request:create', ofFetch);
  try {
    const { runId, end } = await world.run(steps);
    if (end.outcome !== 'succeeded') throw new Error(`${runId} ended as ${end.outcome}: ${end.reason}`);
    return count;
  } finally {
    diagnostics.unsubscribe('http.client.request.start', ofHttp);
    diagnostics.unsubscribe('undici:request:create', ofFetch);
  }
}
