/** Assembles a streamed answer, within limits, from chunks that are checked one by one. */
import { z } from 'zod';
import { ModelFailure, type ModelResponse, type ToolCall } from './contract.ts';

/** The most characters kept of an answer's text, and of one call's arguments. The rest is dropped. */
export const maxContentChars = 1024 * 1024;
export const maxArgumentsChars = 256 * 1024;
/** The most calls kept of one answer. */
const maxToolCalls = 256;

const Chunk = z.object({
  model: z.string().max(300).nullish(),
  choices: z
    .array(
      z.object({
        index: z.number().optional(),
        finish_reason: z.string().nullish(),
        delta: z
          .object({
            content: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.number().int().nonnegative().optional(),
                  id: z.string().max(300).nullish(),
                  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: z
    .object({
      prompt_tokens: z.number().int().nonnegative(),
      completion_tokens: z.number().int().nonnegative(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().int().nonnegative().nullish() }).nullish(),
    })
    .nullish(),
});
type Chunk = z.infer<typeof Chunk>;
type ToolCallPiece = NonNullable<
  NonNullable<NonNullable<NonNullable<Chunk['choices']>[number]>['delta']>['tool_calls']
>[number];

export interface StreamedAnswer extends Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason'> {
  model: string | undefined;
  /** Undefined if the server sent none. */
  tokens: { inputTokens: number; cachedInputTokens: number; outputTokens: number } | undefined;
}

/**
 * Reads a stream to its end.
 * @throws ModelFailure `model-nonsense` if a chunk is malformed, `model-cut-off` if the stream ends before the answer
 * does.
 */
export async function readAnswerStream(chunks: AsyncIterable<unknown>): Promise<StreamedAnswer> {
  const answer: StreamedAnswer = {
    model: undefined,
    content: '',
    toolCalls: [],
    stopReason: 'stop',
    tokens: undefined,
  };
  let finishReason: string | undefined;
  const slots: Slots = new Map();
  for await (const raw of chunks) {
    const parsed = Chunk.safeParse(raw);
    if (!parsed.success) {
      throw new ModelFailure('model-nonsense', "the model's server sent something that is not a piece of an answer", {
        retryable: true,
        cause: parsed.error,
      });
    }
    finishReason = addChunk(answer, parsed.data, slots) ?? finishReason;
  }
  if (finishReason === undefined || finishReason === 'error') {
    throw new ModelFailure('model-cut-off', "the model's answer was cut off before its end", { retryable: true });
  }
  answer.stopReason = stopReasonOf(finishReason, answer.toolCalls);
  return answer;
}

/** The position of the call for each of the server's indexes: the last call that began under the index. */
type Slots = Map<number, number>;

/**
 * Finds a chunk's call. Some servers give no index, or the same one for all calls, so a name with another id begins
 * another call.
 */
function findSlot(
  { toolCalls }: StreamedAnswer,
  { index = 0, id, function: named }: ToolCallPiece,
  slots: Slots,
): number {
  const known = slots.get(index);
  const isAnother = known !== undefined && Boolean(id) && Boolean(named?.name) && toolCalls[known]?.id !== id;
  const slot = known === undefined || isAnother ? toolCalls.length : known;
  slots.set(index, slot);
  return slot;
}

function addChunk(answer: StreamedAnswer, chunk: Chunk, slots: Slots): string | undefined {
  answer.model = chunk.model ?? answer.model;
  if (chunk.usage) {
    answer.tokens = {
      inputTokens: chunk.usage.prompt_tokens,
      cachedInputTokens: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
      outputTokens: chunk.usage.completion_tokens,
    };
  }
  const choice = chunk.choices?.[0];
  answer.content = append(answer.content, choice?.delta?.content, maxContentChars);
  for (const piece of choice?.delta?.tool_calls ?? []) {
    const slot = findSlot(answer, piece, slots);
    if (slot >= maxToolCalls) continue;
    const call: ToolCall = (answer.toolCalls[slot] ??= { id: `call_${slot}`, name: '', arguments: '' });
    if (piece.id) call.id = piece.id;
    call.name = append(call.name, piece.function?.name, 200);
    // One character more than allowed, so that the parser of the call sees that it is too long.
    call.arguments = append(call.arguments, piece.function?.arguments, maxArgumentsChars + 1);
  }
  return choice?.finish_reason ?? undefined;
}

function append(text: string, more: string | null | undefined, maxChars: number): string {
  return more ? text + more.slice(0, Math.max(0, maxChars - text.length)) : text;
}

function stopReasonOf(finishReason: string, calls: ToolCall[]): ModelResponse['stopReason'] {
  if (finishReason === 'length') return 'length';
  if (finishReason === 'content_filter') return 'content-filter';
  return calls.length > 0 ? 'tool-calls' : 'stop';
}
