import type { AskPrompt } from '../../activities/contract.ts';
import { defaults } from '../../base/defaults.ts';
import { durationMs } from '../../base/durations.ts';
import type { PromptStep } from '../../blueprints/schema.ts';
import { addUsage, fewestTokens, nothingSpent } from '../../agent/budget.ts';
import { askWithinBudget, usageOf } from '../budget.ts';
import { StepFailed } from '../failures.ts';
import type { StepKindAction } from '../context.ts';
import { perform } from '../perform.ts';
import { text } from '../render.ts';

/** One model call, no tools, an answer by JSON Schema. An unusable answer is told to the model, a few times. */
export const promptStep: StepKindAction<PromptStep> = async (run, { step, key, scope }) => {
  const { prompt } = step;
  const question = text(prompt.text, scope);
  const { settings } = run.opened;
  let spent = nothingSpent;
  const earlier: AskPrompt['earlier'] = [];
  for (let turn = 1; turn <= settings.unusableAnswers; turn += 1) {
    const answer = await askWithinBudget(run, fewestTokens(question), () =>
      perform(
        'askPrompt',
        {
          key: `${run.key}/${key}/${turn}`,
          text: question,
          earlier,
          answer: prompt.answer,
          ...(prompt.system && { system: text(prompt.system, scope) }),
          ...(prompt.model && { model: prompt.model }),
        },
        {
          summary: key,
          timeoutMs: step.timeout ? durationMs(step.timeout) : settings.answerTimeoutMs,
          attempts: (step.retry ?? defaults.retries) + 1,
          heartbeatTimeoutMs: settings.heartbeatTimeoutMs,
        },
      ),
    );
    spent = addUsage(spent, answer.usage);
    if (answer.value !== undefined)
      return { outputs: { value: answer.value }, usage: usageOf(spent), note: `answered by ${answer.model}` };
    earlier.push({ answer: answer.answer, error: answer.unusable ?? 'The answer was empty.' });
  }
  throw new StepFailed(
    'unusable-answers',
    `${settings.unusableAnswers} answers in a row could not be used; the last: ${earlier.at(-1)?.error ?? ''}`,
  );
};
