/** Names the commands that show what failed, so that each of them finds something. */
import type { RunState, StepRow } from '../workflows/messages.ts';
import { shortId } from './run-reference.ts';

/** The most failed steps whose output is named. */
const maxNamed = 3;

/** A command about a step of a run, as a shell takes it. */
export function nameCommand(command: 'logs' | 'transcript', runId: string, path: string): string {
  return `jig ${command} ${shortId(runId)} ${/^[\w./-]+$/.test(path) ? path : `'${path}'`}`;
}

export function hasConversation({ kind, artifacts, workflowId }: StepRow): boolean {
  return artifacts?.['transcript'] !== undefined || (kind === 'agent' && workflowId !== undefined);
}

/** The commands that print what the failed steps of an ended run wrote and said: the first failures, innermost. */
export function findEvidence({ runId, steps, end }: Pick<RunState, 'runId' | 'steps' | 'end'>): string[] {
  const at = end?.step;
  const isWithin = (path: string) =>
    at === undefined || path === at || path.startsWith(`${at}[`) || path.startsWith(`${at}/`);
  const told = steps.filter(
    (row) => row.state === 'failed' && isWithin(row.path) && (hasOutput(row) || hasConversation(row)),
  );
  return told
    .slice(0, maxNamed)
    .flatMap((row) => [
      ...(hasOutput(row) ? [nameCommand('logs', runId, row.path)] : []),
      ...(hasConversation(row) ? [nameCommand('transcript', runId, row.path)] : []),
    ]);
}

function hasOutput({ artifacts = {} }: StepRow): boolean {
  return Object.values(artifacts).some(({ mediaType }) => mediaType.startsWith('text/'));
}
