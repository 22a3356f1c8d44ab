/** A model that answers from a script, in this process. Tests run on it, and so did the outputs that the tutorial shows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { APIError } from 'openai';
import { classifyFailure } from './classify.ts';
import { boundAnswerTokens, ModelFailure, type Model, type ModelRequest, type ModelResponse } from './contract.ts';
import { findReply, Script, toResponse, type ScriptedFault, type ScriptInput } from './script.ts';

/** Makes the model. @throws ZodError if the script is malformed */
export function createScriptedModel(input: ScriptInput): Model {
  const script = Script.parse(input);
  const asked = new Map<string, number>();
  return {
    source: 'scripted',
    name: script.name,
    protocol: script.protocol,
    contextTokens: script.contextTokens,
    answerTokens: boundAnswerTokens(script.contextTokens),
    isPriced: () => true,
    ask: (request, signal) => ask(script, asked, request, signal),
  };
}

async function ask(
  script: Script,
  asked: Map<string, number>,
  request: ModelRequest,
  signal?: AbortSignal,
): Promise<ModelResponse> {
  signal?.throwIfAborted();
  const reply = findReply(script, request);
  if (!reply)
    throw new ModelFailure('model-not-recorded', `the script has no reply to ${request.key}`, { retryable: false });
  const times = asked.get(request.key) ?? 0;
  asked.set(request.key, times + 1);
  const fault = reply.faults?.[times];
  if (fault?.hang) await sleep(2 ** 31 - 1, undefined, signal ? { signal } : {});
  if (reply.delayMs) await sleep(reply.delayMs, undefined, signal ? { signal } : {});
  if (fault) throw failureOf(fault);
  return toResponse(script, reply, request);
}

/** The failure that the OpenAI adapter would make of the fault. */
function failureOf(fault: ScriptedFault): ModelFailure {
  if (fault.cut)
    return new ModelFailure('model-cut-off', "the model's answer was cut off before its end", { retryable: true });
  if (fault.status === undefined || fault.status === 200)
    return new ModelFailure('model-nonsense', 'the script answers with nonsense', { retryable: true });
  return classifyFailure(
    APIError.generate(fault.status, { message: fault.body ?? 'scripted' }, undefined, new Headers(fault.headers)),
  );
}
