/** Compares steps and agent turns with plain Temporal activities that do the same on the same server. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { ScriptInput } from '../model/script.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import { createWorld, type World } from '../test/e2e/harness.ts';
import { alternate, type Measurement } from './measurement.ts';
import { rawTaskQueue, startRawWorker } from './raw-worker.ts';

const rounds = 3;
const count = 30;

/** A different shell call in each turn, then done. */
const script: ScriptInput = {
  script: 'v1',
  replies: [
    ...Array.from({ length: count }, (_, index) => ({
      calls: [{ tool: 'shell', arguments: { command: `: ${index}` } }],
    })),
    { text: 'Done.' },
  ],
};

const steps = `blueprint: v1\nname: bench-steps\nsteps:\n${Array.from({ length: count }, (_, index) => `  - { id: s${index}, run: [ "true" ] }\n`).join('')}`;
const turns = `blueprint: v1\nname: bench-turns\nsteps:\n  - id: work\n    agent: { task: Work, tools: [ shell ], turns: ${count + 5} }\n`;

export async function stepAndTurnCost(): Promise<Measurement[]> {
  await using world = await createWorld({ script });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
  const connection = await NativeConnection.connect({ address: world.server.address });
  const raw = await startRawWorker(connection, world.parts);
  const { ref } = await world.parts.sandboxes.ensureSandbox({
    id: 'bench-raw',
    resources: { cpu: 1, memoryBytes: 1 << 30, diskBytes: 1 << 30, processes: 100 },
    egress: [],
    env: {},
    leaseMs: 3_600_000,
  });
  try {
    const step = await alternate(
      rounds,
      async () => jigRun(world, steps, 'runCommand'),
      async () => rawRun(world, 'rawSteps', ref, 'rawCommand'),
    );
    const turn = await alternate(
      rounds,
      async () => jigRun(world, turns, 'askAgent'),
      async () => rawRun(world, 'rawTurns', ref, 'rawAsk'),
    );
    return [
      {
        what: 'a deterministic step',
        unit: 'ms',
        measured: step.ours,
        floor: { what: 'a raw activity', measured: step.floor },
        goal: { kind: 'ratio', limit: 1.3 },
      },
      {
        what: 'an agent turn, instant model',
        unit: 'ms',
        measured: turn.ours,
        floor: { what: 'two raw activities', measured: turn.floor },
        goal: { kind: 'ratio', limit: 1.5 },
      },
    ];
  } finally {
    await raw.stop();
    await connection.close();
    await world.parts.sandboxes.destroySandbox(ref.id);
  }
}

async function jigRun(world: World, blueprint: string, activity: string): Promise<number> {
  const { runId, end } = await world.run(blueprint);
  if (end.outcome !== 'succeeded') throw new Error(`${runId} ended as ${end.outcome}: ${end.reason}`);
  const { temporal } = world.client;
  const child = (await eventsOf(temporal, runId)).find((event) => event.childWorkflowExecutionStartedEventAttributes);
  return pace(
    temporal,
    child?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? runId,
    activity,
  );
}

async function rawRun(world: World, workflow: string, sandbox: SandboxRef, activity: string): Promise<number> {
  const workflowId = `${workflow}-${randomUUID()}`;
  const { temporal } = world.client;
  await temporal.workflow.execute(workflow, { workflowId, taskQueue: rawTaskQueue, args: [sandbox, count] });
  return pace(temporal, workflowId, activity);
}

/** The mean number of milliseconds from one activity of this type to the next, by the server's clock. */
async function pace(temporal: Client, workflowId: string, activity: string): Promise<number> {
  const times = (await eventsOf(temporal, workflowId)).flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled, eventTime }) =>
      scheduled?.activityType?.name === activity
        ? [Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6]
        : [],
  );
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  if (times.length < count) throw new Error(`${workflowId} has ${times.length} of ${count} activities ${activity}`);
  return (last - first) / (times.length - 1);
}

async function eventsOf(temporal: Client, workflowId: string) {
  return (await temporal.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
}
