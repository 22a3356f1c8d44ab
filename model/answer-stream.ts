/** Puts an answer together, within limits, from pieces that are checked one by one. */
import { CallPiece, parseChunk, type ChunkContent, type Delta } from './answer-chunk.ts';
import { CallsBuilder } from './call-pieces.ts';
import { ModelFailure, type ModelResponse } from './contract.ts';
import { ExtraFieldsBuilder } from './extra-fields.ts';

/** The most characters kept of an answer's text. The rest is dropped. */
export const maxContentChars = 1024 * 1024;

export type StreamedAnswer = Omit<ModelResponse, 'model' | 'usage'> & Pick<ChunkContent, 'model' | 'tokens'>;

/** An answer that is being read. */
export class AnswerBuilder {
  #content = '';
  #refusal = '';
  #model: string | undefined;
  #tokens: ChunkContent['tokens'];
  #finishReason: string | undefined;
  readonly #calls = new CallsBuilder();
  readonly #extra = new ExtraFieldsBuilder();
  /** Whether the model has begun to answer, so that somebody pays for it. */
  hasBegun = false;

  /** Adds a piece. @throws ModelFailure `model-nonsense` if it can't be read */
  add(piece: unknown): void {
    const { model, delta, finishReason, tokens } = parseChunk(piece);
    this.hasBegun = true;
    this.#model = model ?? this.#model;
    this.#tokens = tokens ?? this.#tokens;
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#addDelta(delta);
  }

  #addDelta({ role: _, content, refusal, tool_calls: calls, function_call: older, ...extra }: Delta): void {
    const parts = typeof content === 'string' ? [content] : (content ?? []);
    const texts = parts.map((part) => (typeof part === 'string' ? part : (part.text ?? '')));
    this.#content += texts.join('').slice(0, Math.max(0, maxContentChars - this.#content.length));
    this.#refusal += (refusal ?? '').slice(0, Math.max(0, maxContentChars - this.#refusal.length));
    for (const piece of calls ?? (older ? [CallPiece.parse({ function: older })] : [])) this.#calls.add(piece);
    const otherParts = parts.flatMap((part) => {
      if (typeof part === 'string' || part.text !== undefined) return [];
      const { text: _none, ...other } = part;
      return [other];
    });
    this.#extra.add({ ...extra, content: otherParts });
  }

  /** What has come so far. It may be half an answer. */
  get soFar(): StreamedAnswer {
    const toolCalls = this.#calls.build();
    const extra = this.#extra.build();
    return {
      model: this.#model,
      content: this.#content,
      toolCalls,
      stopReason: stopReasonOf(this.#finishReason ?? '', toolCalls.length > 0),
      tokens: this.#tokens,
      ...(this.#refusal && { refusal: this.#refusal }),
      ...(extra && { extra }),
    };
  }

  /** The whole answer. @throws ModelFailure `model-cut-off` if the pieces ended before the answer did */
  build(): StreamedAnswer {
    const reason = this.#finishReason;
    if (reason === undefined || brokenOff.has(reason.toLowerCase())) {
      const why =
        reason === undefined
          ? 'the server sent no finish_reason'
          : `its finish_reason is ${JSON.stringify(reason.slice(0, 100))}`;
      throw new ModelFailure('model-cut-off', `the model's answer was cut off before its end: ${why}`, {
        retryable: true,
      });
    }
    return this.soFar;
  }
}

/** What servers call an answer that isn't whole. */
const brokenOff = new Set([
  'error',
  'abort',
  'aborted',
  'cancelled',
  'canceled',
  'network_error',
  'insufficient_system_resource',
]);
/** What they call an answer that became too long. */
const tooLong = new Set([
  'length',
  'max_tokens',
  'max_output_tokens',
  'model_length',
  'token_limit',
  'model_context_window_exceeded',
]);
/** What they call an answer that a filter stopped. */
const filtered = new Set([
  'content_filter',
  'safety',
  'sensitive',
  'recitation',
  'blocklist',
  'prohibited_content',
  'spii',
  'guardrail_intervened',
]);

function stopReasonOf(finishReason: string, hasCalls: boolean): ModelResponse['stopReason'] {
  const reason = finishReason.toLowerCase();
  if (tooLong.has(reason)) return 'length';
  if (filtered.has(reason)) return 'content-filter';
  return hasCalls ? 'tool-calls' : 'stop';
}
