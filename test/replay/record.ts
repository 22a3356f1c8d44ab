/**
 * Records the histories under test/histories/VERSION from real runs: `node test/replay/record.ts VERSION`.
 * Histories of a released version are kept for ever. Those of the version in development are recorded again when it changes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { pino } from 'pino';
import { runLocalCi } from '../../worker/local-ci.ts';
import { createWorld, type World } from '../e2e/harness.ts';
import { scenarios, script } from './scenarios.ts';

const folder = join(import.meta.dirname, '..', 'histories', process.argv[2] ?? 'next');
await mkdir(folder, { recursive: true });

/** Saves an execution, its children, and the executions that it continued as. */
async function save(world: World, workflowId: string, runId: string | undefined, file: string): Promise<void> {
  const history = await world.client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = history.events ?? [];
  // A stack names this machine's folders, and a replay doesn't need it.
  for (const { workflowExecutionFailedEventAttributes: failed } of events)
    for (let failure = failed?.failure; failure; failure = failure.cause) failure.stackTrace = '';
  await writeFile(join(folder, `${file}.pb`), proto.temporal.api.history.v1.History.encode(history).finish());
  console.log(`${file}: ${events.length} events`);
  const children = events.flatMap(
    ({ childWorkflowExecutionStartedEventAttributes: started }) => started?.workflowExecution ?? [],
  );
  for (const [index, child] of children.entries())
    await save(world, child.workflowId ?? '', child.runId ?? undefined, `${file}-agent-${index + 1}`);
  const next = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  if (next) await save(world, workflowId, next, `${file}-next`);
}

await using world = await createWorld({ script, config: { runs: { continueAfterEvents: 100 } } });
const files = { 'app.py': 'x = 1\n', 'notes.txt': 'the color\n' };
await world.addRepository('acme/api', files);
await world.addRepository('acme/checked', files, ['grep', '-q', 'x = 3', 'app.py']);
const stop = new AbortController();
const ci = runLocalCi({ parts: world.parts, forge: world.forge, log: pino({ level: 'silent' }) }, stop.signal);
for (const { name, blueprint, repository, during } of scenarios) {
  const workflowId = await world.start(blueprint, { repository });
  await during?.(world, workflowId);
  const end = await world.client.result(workflowId);
  console.log(`${name}: ${end.outcome}: ${end.reason}`);
  const { raw } = await world.client.temporal.workflow.getHandle(workflowId).describe();
  await save(world, workflowId, raw.workflowExecutionInfo?.firstRunId ?? undefined, name);
}
stop.abort();
await ci;
