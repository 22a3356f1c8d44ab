/** Recordings of a real model's replies: a model that answers from one, and a model that makes one. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { boundAnswerTokens, ModelFailure, type Model, ModelResponse, type ModelRequest } from './contract.ts';
import { normaliseText } from './normalise-text.ts';
import { parseQuestionKey } from './question-key.ts';

export const RecordingEntry = z.strictObject({
  /** `<stepPath>/<turn>`: the question's key without the run. */
  key: z.string(),
  /** The hash of the question's messages, without what changes from run to run. */
  questionSha256: z.string().regex(/^[0-9a-f]{64}$/),
  response: ModelResponse,
});
export type RecordingEntry = z.infer<typeof RecordingEntry>;

export const Recording = z.strictObject({
  recording: z.literal('v1'),
  /** The model that gave these answers. */
  model: z.string(),
  protocol: z.enum(['native', 'json', 'text']),
  contextTokens: z.number().int().positive(),
  recordedAt: z.iso.datetime(),
  blueprint: z.strictObject({ name: z.string(), sha256: z.string() }).optional(),
  note: z.string().optional(),
  entries: z.array(RecordingEntry),
});
export type Recording = z.infer<typeof Recording>;

export interface RecordedModelOptions {
  /** Called for a later turn whose question differs from the recorded one. */
  onDifference?: (entryKey: string) => void;
}

/**
 * Makes a model that answers from a recording. The first question of a step must be the recorded one. A later turn is
 * found by its position, because the output of commands may differ in ways that no rule can remove.
 */
export function createRecordedModel(recording: Recording, options: RecordedModelOptions = {}): Model {
  const entries = new Map(recording.entries.map((entry) => [entry.key, entry]));
  const firstTurns = findFirstTurns(recording);
  const answer = (request: ModelRequest): ModelResponse => {
    const { stepPath, turn, entryKey } = parseQuestionKey(request.key);
    const entry = entries.get(entryKey);
    if (!entry) {
      throw new ModelFailure(
        'model-not-recorded',
        `the recording of ${recording.model} has no answer for ${entryKey}`,
        {
          retryable: false,
        },
      );
    }
    if (entry.questionSha256 !== digestQuestion(request)) {
      if (turn === firstTurns.get(stepPath)) {
        throw new ModelFailure(
          'model-not-recorded',
          `the question ${entryKey} is not the one that ${recording.model} was asked when it was recorded`,
          { retryable: false },
        );
      }
      options.onDifference?.(entryKey);
    }
    return structuredClone(entry.response);
  };
  return {
    source: 'recorded',
    name: recording.model,
    protocol: recording.protocol,
    contextTokens: recording.contextTokens,
    answerTokens: boundAnswerTokens(recording.contextTokens),
    isPriced: () => recording.entries.every((entry) => !entry.response.usage.unpriced),
    async ask(request, signal) {
      signal?.throwIfAborted();
      return answer(request);
    },
  };
}

/** Makes a model that asks `model`, and passes every answer to `sink` before it returns it. */
export function createRecordingModel(model: Model, sink: (entry: RecordingEntry) => void | Promise<void>): Model {
  return {
    source: model.source,
    name: model.name,
    protocol: model.protocol,
    ...(model.protocolWithoutTools && { protocolWithoutTools: model.protocolWithoutTools }),
    contextTokens: model.contextTokens,
    answerTokens: model.answerTokens,
    isPriced: (name) => model.isPriced(name),
    async ask(request, signal) {
      const response = await model.ask(request, signal);
      await sink({ key: parseQuestionKey(request.key).entryKey, questionSha256: digestQuestion(request), response });
      return response;
    },
  };
}

function findFirstTurns(recording: Recording): Map<string, number> {
  const first = new Map<string, number>();
  for (const entry of recording.entries) {
    const { stepPath, turn } = parseQuestionKey(`run/${entry.key}`);
    first.set(stepPath, Math.min(turn, first.get(stepPath) ?? turn));
  }
  return first;
}

function digestQuestion(request: ModelRequest): string {
  const said = request.messages.map((message) => [message.role, normaliseText(message.content)]);
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
