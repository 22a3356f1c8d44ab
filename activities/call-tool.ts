import { runTool } from '../agent/run-tool.ts';
import { parseToolCall } from '../agent/tools.ts';
import type { ArtifactStore } from '../artifacts/contract.ts';
import { JigError } from '../base/errors.ts';
import { workSignal } from './activity.ts';
import type { CallTool, CalledTool } from './contract.ts';
import type { ToolCall } from '../model/contract.ts';
import type { SandboxProvider } from '../sandbox/contract.ts';
import { SandboxFileError } from '../sandbox/files.ts';
import { isCheck, withNotes } from './left-out.ts';
import { createOperations } from './sandbox-files.ts';
import type { Parts } from './parts.ts';
import { appendMessages, keepTranscript, loadMessage, loadTranscript, type Transcript } from './transcript.ts';

/** Carries out one call of the last answer and appends its result to the conversation. Happens once for each key. */
export async function callTool({ artifacts, sandboxes }: Parts, request: CallTool): Promise<CalledTool> {
  const key = `tool/${request.key}`;
  const known = await artifacts.findByKey(key);
  if (known) return { transcript: known };
  const transcript = await loadTranscript(artifacts, request.transcript);
  const text = await carryOut(sandboxes, request, await findCall(artifacts, transcript, request.callId));
  const content = request.note ? `${text}\n${request.note}` : text;
  const appended = await appendMessages(artifacts, transcript, [{ role: 'tool', toolCallId: request.callId, content }]);
  return { transcript: await artifacts.keep(key, await keepTranscript(artifacts, appended)) };
}

/** Finds the latest call with this id. @throws JigError */
async function findCall(store: ArtifactStore, { entries }: Transcript, callId: string): Promise<ToolCall> {
  for (const { role, ref } of entries.toReversed()) {
    const message = role === 'assistant' ? await loadMessage(store, ref) : undefined;
    const call = message?.role === 'assistant' ? message.toolCalls.findLast(({ id }) => id === callId) : undefined;
    if (call) return call;
  }
  throw new JigError('internal-error', `The conversation holds no call ${callId}`);
}

/** Carries out the call, and returns what the model is told. */
async function carryOut(sandboxes: SandboxProvider, request: CallTool, call: ToolCall): Promise<string> {
  const { tools, timeoutMs, outputMaxCharacters: maxChars } = request;
  const parsed = parseToolCall(call, tools);
  if ('error' in parsed) return parsed.error;
  const sandbox = await sandboxes.getSandbox(request.sandbox);
  try {
    const { call: made } = parsed;
    const keepOut = made.tool === 'shell' && isCheck(made.arguments.command, request.checks ?? []) ? {} : undefined;
    const { text } = await withNotes(sandbox, { key: request.key, keepOut }, workSignal(), () =>
      runTool(made, createOperations(sandbox, request), { timeoutMs, maxChars }),
    );
    return text;
  } catch (error) {
    // A path that leads out of the workspace is the model's mistake, so the model is told.
    if (error instanceof SandboxFileError) return error.message;
    throw error;
  }
}
