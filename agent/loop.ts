/**
 * The state of the agent loop, and what follows from an answer. It is pure and runs in workflow code, so it holds only
 * short texts and nothing that can grow. The workflow asks, decides with {@link decideAfterAnswer}, acts, and asks
 * again.
 */
import { defaults } from '../base/defaults.ts';
import { plural } from '../base/plural.ts';
import { cutText } from './cut-text.ts';
import { emptyAnswerFeedback, repeatedCallFeedback, repeatedCallNote, tooManyCallsFeedback } from './prompts.ts';

/** How many calls of one answer are carried out. The others get an error. */
export const maxCallsPerAnswer = 16;
/** Repeats of the same calls in a row: the first two are carried out, and the fifth ends the step. */
const maxRepeatsCarriedOut = 2;
const maxRepeats = 5;

/** How much a person is shown of what the model was told. */
const maxToldChars = 600;

const longestCycle = 3;
const rememberedAnswers = longestCycle * maxRepeats;

/** An answer as the workflow sees it. `summariseAnswer` makes it. */
export interface AnswerSummary {
  calls: {
    id: string;
    name: string;
    digest: string;
    /** For the model, where the call can't be carried out. */ error?: string;
  }[];
  /** The model's last words, if it says that it is done. */
  finished?: string;
  /** What the model is told if its answer is neither a call nor an end. */
  unusable?: string;
}

/** The state of the loop: plain data that doesn't grow. */
export interface LoopState {
  turns: number;
  unusableInARow: number;
  /** Digests of the calls in the last answers, the newest last. */
  recentDigests: string[];
}

type StopReason = 'unusable-answers' | 'repeated-calls';

export type LoopDecision =
  /**
   * Carry out these calls in order and append `note` to their results. Each call in `refused` gets its text as the
   * result.
   */
  | { kind: 'act'; calls: { id: string; note?: string }[]; refused: { id: string; text: string }[] }
  | { kind: 'finished'; text: string }
  /** Append the text as a user message and ask again. */
  | { kind: 'unusable'; text: string }
  | { kind: 'stop'; reason: StopReason; message: string };

export const newLoop: LoopState = { turns: 0, unusableInARow: 0, recentDigests: [] };

/** Decides what to do after an answer, and gives the next state. A few unusable answers in a row end the loop. */
export function decideAfterAnswer(
  state: LoopState,
  answer: AnswerSummary,
  unusableAnswers: number = defaults.agent.unusableAnswers,
): { state: LoopState; decision: LoopDecision } {
  const turns = state.turns + 1;
  if (answer.unusable === undefined && answer.calls.length === 0 && answer.finished !== undefined) {
    return { state: { ...state, turns, unusableInARow: 0 }, decision: { kind: 'finished', text: answer.finished } };
  }
  const isUsable = answer.unusable === undefined && answer.calls.some((call) => call.error === undefined);
  const unusableInARow = isUsable ? 0 : state.unusableInARow + 1;
  const digest = answer.calls.map((call) => call.digest).join(' ');
  const recentDigests =
    answer.calls.length > 0 ? [...state.recentDigests, digest].slice(-rememberedAnswers) : state.recentDigests;
  const next = { turns, unusableInARow, recentDigests };
  return { state: next, decision: decide(next, answer, unusableAnswers) };
}

function decide(state: LoopState, answer: AnswerSummary, unusableAnswers: number): LoopDecision {
  if (state.unusableInARow >= unusableAnswers) {
    return {
      kind: 'stop',
      reason: 'unusable-answers',
      message: `the model gave ${plural(unusableAnswers, 'unusable answer')}${unusableAnswers === 1 ? '' : ' in a row'}: ${cutText(whyUnusable(answer), maxToldChars)}`,
    };
  }
  if (answer.calls.length === 0) return { kind: 'unusable', text: whyUnusable(answer) };
  const repeats = countRepeats(state.recentDigests);
  if (repeats >= maxRepeats) {
    return {
      kind: 'stop',
      reason: 'repeated-calls',
      message: `the model made the same calls ${repeats} times in a row`,
    };
  }
  return act(answer, repeats);
}

function whyUnusable({ unusable, calls }: AnswerSummary): string {
  return unusable ?? calls.find(({ error }) => error !== undefined)?.error ?? emptyAnswerFeedback;
}

function act(answer: AnswerSummary, repeats: number): LoopDecision & { kind: 'act' } {
  const decision: LoopDecision & { kind: 'act' } = { kind: 'act', calls: [], refused: [] };
  for (const [index, call] of answer.calls.entries()) {
    if (index >= maxCallsPerAnswer)
      decision.refused.push({ id: call.id, text: tooManyCallsFeedback(maxCallsPerAnswer) });
    else if (call.error !== undefined) decision.refused.push({ id: call.id, text: call.error });
    else if (repeats > maxRepeatsCarriedOut)
      decision.refused.push({ id: call.id, text: repeatedCallFeedback(call.name, repeats) });
    else decision.calls.push({ id: call.id, ...(repeats > 1 ? { note: repeatedCallNote(call.name) } : {}) });
  }
  return decision;
}

/** How many times in a row the newest calls, or a cycle of up to three, were made. */
export function countRepeats(digests: string[]): number {
  let most = 0;
  for (let period = 1; period <= Math.min(longestCycle, digests.length); period++) {
    let same = period;
    while (same < digests.length && digests[digests.length - 1 - same] === digests[digests.length - 1 - same + period])
      same++;
    most = Math.max(most, Math.floor(same / period));
  }
  return most;
}
