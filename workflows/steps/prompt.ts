import type { AskPrompt, PromptAnswer } from '../../activities/contract.ts';
import { addUsage, fewestTokens, nothingSpent } from '../../agent/budget.ts';
import { reviewFeedback } from '../../agent/prompts.ts';
import { durationMs } from '../../base/durations.ts';
import { plural } from '../../base/plural.ts';
import type { PromptStep } from '../../blueprints/kinds/prompt.ts';
import { askWithinBudget, usageOf } from '../budget.ts';
import type { RunContext, StepAction, StepPlace } from '../context.ts';
import { StepFailed } from '../failures.ts';
import type { Conversation } from '../messages.ts';
import { perform } from '../perform.ts';
import { text } from '../render.ts';

/**
 * Asks a model one question, without tools, and takes an answer that fits a JSON Schema. An unusable answer is sent
 * back to the model, a few times. If the step is sent back, the same question is asked again, after the last answer and
 * the comment on it.
 */
export const promptStep: StepAction<PromptStep> = async (run, place) => {
  const { memory, opened } = run;
  const { step, path, scope } = place;
  const asked = text(step.prompt.text, scope);
  const earlier = earlierAnswers(run, place, asked);
  // Without an earlier answer, the question itself contains the comment.
  const question =
    place.feedback === undefined || earlier.length > 0 ? asked : `${asked}\n\n${reviewFeedback(place.feedback)}`;
  const { system } = step.prompt;
  let say: Conversation['say'] = [
    ...(system ? [{ role: 'system' as const, content: text(system, scope) }] : []),
    { role: 'user', content: question },
  ];
  let spent = nothingSpent;
  for (let turn = 1; turn <= opened.settings.unusableAnswers; turn += 1) {
    const answer = await run.view.whileAsking(path, say, () =>
      askWithinBudget(run, fewestTokens(question), () => ask(run, place, { question, earlier, turn })),
    );
    spent = addUsage(spent, answer.usage);
    if (answer.transcript) run.view.keep(path, { artifacts: { transcript: answer.transcript } });
    if (answer.value !== undefined) {
      memory.conversations[path] = { kind: 'prompt', asked, earlier, answer: answer.answer };
      return { outputs: { value: answer.value }, usage: usageOf(spent), note: `answered by ${answer.model}` };
    }
    const error = answer.unusable ?? 'The answer was empty.';
    earlier.push({ answer: answer.answer, error });
    say = [{ role: 'user', content: error }];
  }
  const last = earlier.at(-1)?.error ?? '';
  const { unusableAnswers } = opened.settings;
  const inARow = unusableAnswers === 1 ? '' : ' in a row';
  const message = `the model gave ${plural(unusableAnswers, 'unusable answer')}${inARow}: ${last}`;
  throw new StepFailed('unusable-answers', message, { usage: usageOf(spent) });
};

function earlierAnswers(
  { memory }: RunContext,
  { path, feedback }: StepPlace<PromptStep>,
  asked: string,
): AskPrompt['earlier'] {
  const kept = memory.conversations[path];
  if (feedback === undefined || kept?.kind !== 'prompt' || kept.asked !== asked) return [];
  return [...kept.earlier, { answer: kept.answer, error: reviewFeedback(feedback) }];
}

function ask(
  run: RunContext,
  { step, key, scope }: StepPlace<PromptStep>,
  { question, earlier, turn }: { question: string; earlier: AskPrompt['earlier']; turn: number },
): Promise<PromptAnswer> {
  const { answer, system, model } = step.prompt;
  const { answerTimeoutMs, heartbeatTimeoutMs, defaults } = run.opened.settings;
  return perform(
    'askPrompt',
    {
      key: `${run.key}/${key}/${turn}`,
      text: question,
      earlier: [...earlier],
      answer,
      ...(system && { system: text(system, scope) }),
      ...(model && { model }),
    },
    {
      summary: key,
      timeoutMs: step.timeout ? durationMs(step.timeout) : answerTimeoutMs,
      attempts: (step.retry ?? defaults.retries) + 1,
      heartbeatTimeoutMs,
    },
  );
}
