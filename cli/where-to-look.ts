/** Names the commands that show what failed, so that each of them finds something. */
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { RunState, StepRow } from '../workflows/messages.ts';
import { shortId } from './run-reference.ts';

type EndedRun = Pick<RunState, 'runId' | 'steps' | 'end'>;

/** The most failed steps whose output is named. */
const maxNamed = 3;

/** A command about a step of a run, as a shell takes it. */
export function nameCommand(command: 'logs' | 'transcript', runId: string, path: string): string {
  return `jig ${command} ${shortId(runId)} ${/^[\w./-]+$/.test(path) ? path : `'${path}'`}`;
}

export function hasConversation({ kind, artifacts, workflowId }: StepRow): boolean {
  return artifacts?.['transcript'] !== undefined || (kind === 'agent' && workflowId !== undefined);
}

/** The commands that print what the failed steps of an ended run wrote and said. */
export function findEvidence(state: EndedRun): string[] {
  return findFailed(state).flatMap((row) => [
    ...(outputsOf(row).length > 0 ? [nameCommand('logs', state.runId, row.path)] : []),
    ...(hasConversation(row) ? [nameCommand('transcript', state.runId, row.path)] : []),
  ]);
}

/** What the first failed step wrote last: on standard error, unless it wrote nothing there. */
export function findLastOutput(state: EndedRun): ArtifactRef | undefined {
  const written = findFailed(state)
    .map(outputsOf)
    .find((outputs) => outputs.length > 0);
  return (written?.findLast(([name]) => name.startsWith('stderr')) ?? written?.at(-1))?.[1];
}

/** The first steps that failed and kept something, in the step that the run ended at. */
function findFailed({ steps, end }: EndedRun): StepRow[] {
  const at = end?.step;
  const isWithin = (path: string) =>
    at === undefined || path === at || path.startsWith(`${at}[`) || path.startsWith(`${at}/`);
  return steps
    .filter((row) => row.state === 'failed' && isWithin(row.path))
    .filter((row) => outputsOf(row).length > 0 || hasConversation(row))
    .slice(0, maxNamed);
}

/** What the commands of a step wrote, by the name of the stream. */
export function outputsOf({ artifacts = {} }: StepRow): [string, ArtifactRef][] {
  return Object.entries(artifacts).filter(([, { mediaType }]) => mediaType.startsWith('text/'));
}
