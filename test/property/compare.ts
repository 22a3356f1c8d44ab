/** Compares the result of a run with the prediction of the plain model of the language. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { stepKinds } from '../../blueprints/kinds/kinds.ts';
import type { RunEnd } from '../../workflows/messages.ts';
import type { Case } from './case.ts';
import { predict } from './plain-run.ts';
import { textOf, type End, type Prediction } from './plain-world.ts';
import { usage } from './scripted-model.ts';
import type { World } from './world.ts';

const Evidence = z.object({
  state: z.object({
    steps: z.array(z.object({ path: z.string(), kind: z.string(), state: z.string() })),
    usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
  }),
  checks: z.array(
    z.object({
      step: z.string(),
      result: z.object({ command: z.string() }),
      verdict: z.object({ passed: z.boolean() }),
    }),
  ),
});

/** Returns how much could be compared. @throws AssertionError */
export function compare(ofCase: Case, { end, world }: { end: RunEnd; world: World }): Prediction['sure'] {
  const prediction = predict(ofCase, world.losses);
  const came: End = { outcome: end.outcome, ...(end.code && { code: end.code }) };
  const expected = expectedEnd(prediction, world);
  assert.ok(world.evidence, `The run left no evidence: ${JSON.stringify(end)}`);
  const evidence = Evidence.parse(world.evidence);
  assert.deepEqual(world.violations, [], 'what must never happen');
  assert.deepEqual([...world.boxes.keys()], [], 'sandboxes that are left');
  const counted = evidence.state.usage.inputTokens / usage.inputTokens;
  if (!world.unforeseen.refused) assert.equal(counted, world.questions, 'answers that were counted');
  if (prediction.sure === 'nothing') return 'nothing';
  const isCutOff = expected !== prediction.end;
  if (isCutOff && prediction.sure === 'end') return 'nothing';
  assert.deepEqual(came, expected, `the end (${end.reason}), after these effects: ${world.ledger.join('; ')}`);
  if (prediction.sure === 'end') return 'end';
  if (isCutOff) {
    assertPart(world.ledger, prediction.ledger, prediction.isOrdered);
    return 'end';
  }
  compareAll(prediction, world, evidence);
  return 'all';
}

function expectedEnd({ end }: Prediction, { unforeseen, told }: World): End {
  if (unforeseen.cancelled) return { outcome: 'cancelled', code: 'cancelled' };
  if (unforeseen.refused && !told.includes('cancel accepted')) return { outcome: 'failed', code: 'memory-lost' };
  return end;
}

function compareAll(prediction: Prediction, world: World, { state, checks }: z.infer<typeof Evidence>): void {
  const inOrder = (list: string[]) => (prediction.isOrdered ? list : list.toSorted());
  assert.deepEqual(inOrder(world.ledger), inOrder(prediction.ledger), 'effects');
  assert.deepEqual(prediction.violations, []);
  const shown = new Set<string>([...stepKinds, 'undo', 'gate']);
  const rows = state.steps.filter(({ kind }) => shown.has(kind)).map(({ path, state: how }) => `${path} ${how}`);
  assert.deepEqual(rows.toSorted(), prediction.rows.toSorted(), 'rows');
  const decided = checks.map(({ step, result, verdict }) => `${step} ${result.command} ${verdict.passed}`);
  assert.deepEqual(decided.toSorted(), prediction.checks.toSorted(), 'checks');
  assert.deepEqual(
    world.branch.map((commit) => textOf(world.commits.get(commit)?.files ?? {})),
    prediction.pushed.map(textOf),
    'pushes',
  );
  const atMoments = (told: string[]) => told.toSorted();
  assert.deepEqual(atMoments(world.told), atMoments(prediction.told), 'results of messages');
}

/** A run that was cut off has only some of the effects. */
function assertPart(done: string[], whole: string[], isOrdered: boolean): void {
  if (isOrdered) return assert.deepEqual(done, whole.slice(0, done.length), 'effects before it was cut off');
  const left = [...whole];
  for (const each of done) {
    const index = left.indexOf(each);
    assert.ok(index >= 0, `${each} was done too often`);
    left.splice(index, 1);
  }
}
