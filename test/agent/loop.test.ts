import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  countRepeats,
  decideAfterAnswer,
  maxCallsPerAnswer,
  newLoop,
  type AnswerSummary,
  type LoopDecision,
} from '../../agent/loop.ts';

const call = (digest: string, id = 'c1') => ({ id, name: 'read', digest });

/** The decisions after these answers, one after the other. */
function decide(...answers: AnswerSummary[]): LoopDecision[] {
  let state = newLoop;
  return answers.map((answer) => {
    const next = decideAfterAnswer(state, answer);
    state = next.state;
    return next.decision;
  });
}

test('the calls of an answer are carried out, and an answer that says done ends the loop', () => {
  assert.deepEqual(decide({ calls: [call('a')] }, { calls: [], finished: 'Done.' }), [
    { kind: 'act', calls: [{ id: 'c1' }], refused: [] },
    { kind: 'finished', text: 'Done.' },
  ]);
});

test('three unusable answers in a row end the step, with their reason', () => {
  const unusable: AnswerSummary = { calls: [], unusable: 'Your answer was empty.' };
  const decisions = decide(unusable, unusable, unusable);
  assert.deepEqual(
    decisions.map((decision) => decision.kind),
    ['unusable', 'unusable', 'stop'],
  );
  assert.equal(decisions[2]?.kind === 'stop' && decisions[2].reason, 'unusable-answers');
});

test('a usable answer in between starts the count again', () => {
  const unusable: AnswerSummary = { calls: [], unusable: 'no' };
  assert.deepEqual(
    decide(unusable, unusable, { calls: [call('a')] }, unusable, unusable).map((decision) => decision.kind),
    ['unusable', 'unusable', 'act', 'unusable', 'unusable'],
  );
});

test('a call with a mistake gets its error as result, and the others are carried out', () => {
  const [decision] = decide({
    calls: [{ ...call('a', 'c1'), error: 'There is no tool called "fly".' }, call('b', 'c2')],
  });
  assert.deepEqual(decision, {
    kind: 'act',
    calls: [{ id: 'c2' }],
    refused: [{ id: 'c1', text: 'There is no tool called "fly".' }],
  });
});

test('an answer that has only calls with mistakes counts as unusable', () => {
  const wrong = ['a', 'b', 'c'].map((digest): AnswerSummary => ({ calls: [{ ...call(digest), error: 'wrong' }] }));
  assert.deepEqual(
    decide(...wrong).map((decision) => decision.kind),
    ['act', 'act', 'stop'],
  );
});

test('of 200 parallel calls, 16 are carried out and all others get an error', () => {
  const [decision] = decide({ calls: Array.from({ length: 200 }, (_, index) => call(`d${index}`, `c${index}`)) });
  assert(decision?.kind === 'act');
  assert.equal(decision.calls.length, maxCallsPerAnswer);
  assert.equal(decision.refused.length, 200 - maxCallsPerAnswer);
});

test('a repeated call first gets a note, then is not carried out, then ends the step', () => {
  const decisions = decide(...Array.from({ length: 5 }, () => ({ calls: [call('same')] })));
  const [first, second, third, fourth, fifth] = decisions;
  assert(first?.kind === 'act' && second?.kind === 'act' && third?.kind === 'act' && fourth?.kind === 'act');
  assert.equal(first.calls[0]?.note, undefined);
  assert.match(second.calls[0]?.note ?? '', /same read call/);
  assert.deepEqual(third.calls, []);
  assert.match(third.refused[0]?.text ?? '', /3 times in a row/);
  assert.notEqual(fourth.refused[0]?.text, third.refused[0]?.text);
  assert.deepEqual(fifth, {
    kind: 'stop',
    reason: 'repeated-calls',
    message: 'the model made the same calls 5 times in a row',
  });
});

test('a cycle of two or three calls also counts as a repetition', () => {
  assert.equal(countRepeats(['a', 'b', 'a', 'b', 'a', 'b']), 3);
  assert.equal(countRepeats(['x', 'a', 'b', 'c', 'a', 'b', 'c']), 2);
  assert.equal(countRepeats(['test', 'edit1', 'test', 'edit2', 'test']), 1);
  assert.equal(countRepeats([]), 0);
});
