/** Finds the run that a person means. */
import { JigError } from '../base/errors.ts';
import type { JigClient } from '../client/client.ts';

const searched = 1000;

/**
 * The id of a run: of the last one for nothing or `-`, of the one whose id ends with the reference, or the reference
 * itself if it is a whole id.
 * @throws JigError `run-not-found`, `run-ambiguous`
 */
export async function resolveRun(client: Pick<JigClient, 'list'>, reference = '-'): Promise<string> {
  if (reference.startsWith('run/')) return reference;
  const runs = await client.list({ limit: reference === '-' ? 1 : searched });
  if (reference === '-') {
    const [last] = runs;
    if (last) return last.runId;
    throw new JigError('run-not-found', 'There are no runs yet', { hint: 'Start one: jig run BLUEPRINT --repo PATH' });
  }
  const fitting = runs.map(({ runId }) => runId).filter((runId) => runId.endsWith(reference));
  const whole = fitting.find((runId) => runId.endsWith(`/${reference}`));
  const [only, ...others] = fitting;
  if (!only)
    throw new JigError('run-not-found', `No run's id ends with ${reference}`, { hint: '`jig runs` lists them.' });
  if (others.length > 0 && whole === undefined)
    throw new JigError(
      'run-ambiguous',
      `${fitting.length} runs end with ${reference}: ${fitting.slice(0, 5).join(', ')}`,
      { hint: 'Give more of the id.' },
    );
  return whole ?? only;
}

/** The last part of an id, which is enough to name the run. */
export function shortId(runId: string): string {
  return runId.slice(runId.lastIndexOf('/') + 1);
}
