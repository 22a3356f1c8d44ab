import { ApplicationFailure } from '@temporalio/activity';
import { z } from 'zod';
import { runTool } from '../agent/run-tool.ts';
import { parseToolCall } from '../agent/tools.ts';
import { ArtifactRef } from '../artifacts/contract.ts';
import type { CallTool, ToolResult } from './contract.ts';
import { SandboxFileError } from '../sandbox/files.ts';
import { createOperations } from './sandbox-files.ts';
import { once } from './kept.ts';
import type { Parts } from './parts.ts';
import { appendMessages, keepTranscript, loadMessages, loadTranscript, type Transcript } from './transcript.ts';

const KeptResult = z.strictObject({ transcript: ArtifactRef, ok: z.boolean() });

/** Carries out one call of the last answer and appends its result to the conversation; once for a key. */
export async function callTool(parts: Parts, request: CallTool): Promise<ToolResult> {
  const { value } = await once(parts.artifacts, `tool/${request.key}`, KeptResult, async () => {
    const transcript = await loadTranscript(parts.artifacts, request.transcript);
    const result = await carryOut(parts, request, transcript);
    const content = request.note ? `${result.text}\n${request.note}` : result.text;
    const appended = await appendMessages(parts.artifacts, transcript, [{ role: 'tool', toolCallId: request.callId, content }]);
    return { transcript: await keepTranscript(parts.artifacts, appended), ok: result.ok };
  });
  return value;
}

async function carryOut(parts: Parts, request: CallTool, transcript: Transcript): Promise<{ text: string; ok: boolean }> {
  const { key, env, allowPaths, tools, timeoutMs, callId } = request;
  const messages = await loadMessages(parts.artifacts, transcript);
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []));
  const call = calls.findLast(({ id }) => id === callId);
  if (!call) throw ApplicationFailure.nonRetryable(`The conversation holds no call ${callId}`, 'internal-error');
  const parsed = parseToolCall(call, tools);
  if ('error' in parsed) return { text: parsed.error, ok: false };
  const sandbox = await parts.sandboxes.getSandbox(request.sandbox);
  try {
    return await runTool(parsed.call, createOperations(sandbox, { key, env, ...(allowPaths && { allowPaths }) }), { timeoutMs });
  } catch (error) {
    // A path that leads out of the workspace is the model's mistake, and the model is told.
    if (error instanceof SandboxFileError) return { text: error.message, ok: false };
    throw error;
  }
}
