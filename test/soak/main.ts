/**
 * Runs many at once while their worker is killed again and again, and Temporal a few times, then counts what was lost,
 * done twice or left behind: `npm run soak`, or `JIG_SOAK_RUNS=20 npm run soak`. Half of the runs are on one repository.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pLimit from 'p-limit';
import { dataFolders } from '../../client/data-folders.ts';
import type { ScriptInput } from '../../model/script.ts';
import { createInstallation, type Installation } from '../crash/installation.ts';
import { makeRepository } from '../e2e/repository.ts';

const runs = Number(process.env['JIG_SOAK_RUNS'] ?? 200);
const killEveryMs = 10_000;
const serverKills = 3;
const sweptWithinMs = 120_000;
/** Runs that are started before the first of them has ended. */
const runsAtOnce = 20;

const blueprint = `
blueprint: v1
name: soak
sandbox: { setup: [ mkdir -p "$HOME/ready" ] }
steps:
  - { id: before, run: grep -q color notes.txt && sleep 1 }
  - id: ask
    prompt:
      text: Spell it
      answer: { type: object, properties: { word: { type: string } }, required: [ word ] }
  - edit: { path: notes.txt, old: color, new: "\${{ steps.ask.value.word }}" }
  - { id: after, check: [ grep -q colour notes.txt ] }
  - change: { title: Spell it }
`;
const script: ScriptInput = {
  script: 'v1',
  replies: [{ step: 'ask', answer: { word: 'colour' } }],
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

await using installation = await createInstallation(script, { workers: Number.POSITIVE_INFINITY });
const startedAtMs = Date.now();
const over = new AbortController();
const killed = { workers: 0, servers: 0 };
let ended = 0;
const killing = kill(over.signal);

const limit = pLimit(runsAtOnce);
const ends = await Promise.all(Array.from({ length: runs }, (_, index) => limit(() => carryOut(index))));
over.abort();
await killing;
const tookS = Math.round((Date.now() - startedAtMs) / 1000);

const launches = await installation.takeLaunches();
const answers = installation.model.ledger.filter(({ outcome }) => outcome === 'answered').map(({ key }) => key);
const findings: Record<string, number> = {
  'runs that did not succeed': ends.filter(({ outcome }) => outcome !== 'succeeded').length,
  'runs that ended as foreign-commits': ends.filter(({ code }) => code === 'foreign-commits').length,
  'commands that were launched twice': countTwice(launches),
  'answers that were paid for twice': countTwice(answers),
  'changes too few or too many': Math.abs((await countChanges(installation)) - runs),
  'sandboxes that are left': await countLeft(installation),
};
say(`${runs} runs in ${tookS} s; the worker was killed ${killed.workers} times, Temporal ${killed.servers} times`);
say(`${launches.length} commands, ${answers.length} answers`);
for (const [name, count] of Object.entries(findings)) say(`${count === 0 ? '✔' : '✖'} ${name}: ${count}`);
for (const { outcome, reason } of ends.filter((each) => each.outcome !== 'succeeded')) say(`  ${outcome}: ${reason}`);
process.exitCode = Object.values(findings).every((count) => count === 0) ? 0 : 1;

async function carryOut(index: number) {
  const name = index % 2 === 0 ? 'acme/shared' : `acme/own-${index}`;
  const { forge, client, dataDir } = installation;
  const source = join(dataDir, 'sources', `${index}`);
  if (name !== 'acme/shared' || index === 0) {
    await makeRepository(source, { 'notes.txt': `the color of ${index}\n` });
    await forge.ensureRepository({ name, source });
  }
  const { runId } = await client.start({
    blueprint: { name: 'soak', text: blueprint, file: 'soak.yaml' },
    repository: { forge: 'local', name },
    inputs: {},
    requester: 'tester',
  });
  const end = await untilEnd(runId);
  ended += 1;
  say(`${ended}/${runs} ${runId} ${end.outcome}`);
  if (end.outcome !== 'succeeded') await sayHow(runId);
  return end;
}

/** The run's end. The server may be away while it is asked. */
async function untilEnd(runId: string): ReturnType<Installation['client']['result']> {
  for (;;) {
    try {
      return await installation.client.result(runId);
    } catch (error) {
      say(`asked again for ${runId}: ${error instanceof Error ? error.message : String(error)}`);
      await wait(1000);
    }
  }
}

/** Prints what of the run's work ended badly, since its history goes with the data folder. */
async function sayHow(runId: string): Promise<void> {
  const { events } = await installation.client.temporal.workflow.getHandle(runId).fetchHistory();
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) say(`  ${String(event.eventId)} ${scheduled.activityType?.name} ${scheduled.activityId}`);
    const started = event.activityTaskStartedEventAttributes;
    if (started && ((started.attempt ?? 1) > 1 || started.lastFailure))
      say(`  ${String(event.eventId)} try ${started.attempt}, after: ${started.lastFailure?.message}`);
    const failed =
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes ??
      event.activityTaskCancelRequestedEventAttributes;
    if (failed) say(`  ${String(event.eventId)} ${JSON.stringify(failed)}`);
  }
}

/** Kills the worker at each interval, and the server at equal parts of the runs. */
async function kill(signal: AbortSignal): Promise<void> {
  for (;;) {
    await wait(killEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const isServersTurn = killed.servers < serverKills && ended >= ((killed.servers + 1) * runs) / (serverKills + 1);
    installation.worker.process.kill('SIGKILL');
    await installation.worker.ended;
    killed.workers += 1;
    if (isServersTurn) {
      await installation.restartServer('SIGKILL');
      killed.servers += 1;
    }
    installation.takeOver();
  }
}

function countTwice(names: string[]): number {
  return names.length - new Set(names).size;
}

async function countChanges({ forge }: Installation): Promise<number> {
  const repositories = await forge.listRepositories();
  const lists = await Promise.all(repositories.map((name) => forge.listChanges(name)));
  return lists.flat().length;
}

/** What is left when the sweeper has had its time. */
async function countLeft({ dataDir, untilNoSandbox }: Installation): Promise<number> {
  await untilNoSandbox(sweptWithinMs).catch(() => undefined);
  return (await readdir(dataFolders(dataDir).sandboxes)).length;
}
