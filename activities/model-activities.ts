import { compactedMessages, planCompaction, type CompactionPlan } from '../agent/compaction.ts';
import { answerLeftCalls } from '../agent/left-calls.ts';
import { decodeAnswer, encodeQuestion, toAssistantMessage } from '../agent/protocol.ts';
import { parseAnswer, promptQuestion } from '../agent/answer.ts';
import { summariseAnswer } from '../agent/summarise-answer.ts';
import type { ArtifactStore } from '../artifacts/contract.ts';
import {
  ModelFailure,
  ModelResponse,
  Usage,
  type Model,
  type ModelProtocol,
  type ModelRequest,
  type ToolCall,
} from '../model/contract.ts';
import { log, workSignal } from './activity.ts';
import type { AgentAnswer, AskAgent, AskPrompt, ModelActivities, PromptAnswer } from './contract.ts';
import { AnyJson, keepJson, keepOnFailure, loadJson, once } from './kept.ts';
import type { Parts } from './parts.ts';
import { appendMessages, keepTranscript, loadMessages, loadTranscript, type Transcript } from './transcript.ts';

type ModelParts = Pick<Parts, 'artifacts' | 'model'>;

/** Tokens of the model's context that are left for the tools. */
const toolTokens = 2000;
/** The smallest context worth trying: a model with less can't do the work. */
const leastContextTokens = 1024;

export function createModelActivities(parts: ModelParts): ModelActivities {
  return {
    askPrompt: (request) => askPrompt(parts, request),
    askAgent: (request) => askAgent(parts, request),
  };
}

/** Asks once for a key: an answer that was paid for is never asked for again. */
async function ask({ artifacts, model }: ModelParts, request: ModelRequest, protocol?: ModelProtocol) {
  return once(artifacts, `model/${request.key}`, ModelResponse, async () => {
    try {
      const answer = await model.ask(request, workSignal());
      const { inputTokens, outputTokens, costUsd } = answer.usage;
      log().info('model answered', { key: request.key, model: answer.model, inputTokens, outputTokens, costUsd });
      const usage = sumUsage([answer.usage, ...(await findLost(artifacts, request.key))]);
      return { ...answer, usage, ...(protocol && { protocol }) };
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error;
      const { code, message, retryable, usage } = error;
      if (error.refusesTools) throw error;
      log().warn('asking the model failed', { key: request.key, code, message, retryable });
      const lost = await findLost(artifacts, request.key);
      if (usage) await artifacts.keep(lostKey(request.key, lost.length), await keepJson(artifacts, usage));
      const paid = [...lost, ...(usage ? [usage] : [])];
      error.usage = paid.length > 0 ? sumUsage(paid) : undefined;
      throw error;
    }
  });
}

const lostKey = (key: string, index: number): string => `model/${key}/lost/${index}`;

/** What earlier tries of a question cost, which gave no answer. It is kept, so that whoever answers at last counts it. */
async function findLost(artifacts: ArtifactStore, key: string): Promise<Usage[]> {
  const lost: Usage[] = [];
  for (;;) {
    const ref = await artifacts.findByKey(lostKey(key, lost.length));
    if (!ref) return lost;
    lost.push(await loadJson(artifacts, ref, Usage));
  }
}

function sumUsage(all: Usage[]): Usage {
  return all.reduce((sum, usage) => ({
    inputTokens: sum.inputTokens + usage.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + usage.cachedInputTokens,
    outputTokens: sum.outputTokens + usage.outputTokens,
    costUsd: sum.costUsd + usage.costUsd,
    ...((sum.unpriced ?? usage.unpriced) && { unpriced: true as const }),
  }));
}

async function askPrompt(
  parts: ModelParts,
  { key, text, system, model, answer: schema, earlier }: AskPrompt,
): Promise<PromptAnswer> {
  const earlierAnswers = await Promise.all(
    earlier.map(async ({ answer, error }) => ({
      answer: saidIn(await loadJson(parts.artifacts, answer, ModelResponse)),
      error,
    })),
  );
  const { messages, answer: format } = promptQuestion({ text, schema, ...(system && { system }) }, earlierAnswers);
  // Where tools are called in plain text, the server is asked for nothing else than text.
  const isConstrained = parts.model.protocol !== 'text';
  const question = { messages, key, ...(isConstrained && { answer: format }), ...(model && { model }) };
  const asked = await appendMessages(parts.artifacts, { entries: [] }, messages);
  const { value: answer, ref } = await keepOnFailure(
    async () => ({ transcript: await keepTranscript(parts.artifacts, asked) }),
    () => ask(parts, question),
  );
  const said = await appendMessages(parts.artifacts, asked, [
    { role: 'assistant', content: saidIn(answer), toolCalls: [] },
  ]);
  const transcript = await keepTranscript(parts.artifacts, said);
  const parsed = parseAnswer(answerIn(answer), schema, answer);
  const common = { answer: ref, transcript, usage: answer.usage, model: answer.model };
  return 'value' in parsed ? { ...common, value: AnyJson.parse(parsed.value) } : { ...common, unusable: parsed.error };
}

/** The text of an answer. Some gateways have a model answer by a call, whose arguments are the answer. */
function answerIn({ content, toolCalls }: ModelResponse): string {
  return content || (toolCalls[0]?.arguments ?? '');
}

/** What a model said, be it an answer or a refusal. */
function saidIn(answer: ModelResponse): string {
  return answerIn(answer) || (answer.refusal ?? '');
}

async function askAgent(
  parts: ModelParts,
  { key, turn, transcript, say, tools, model }: AskAgent,
): Promise<AgentAnswer> {
  const { artifacts } = parts;
  const kept = await loadTranscript(artifacts, transcript);
  const before = await loadMessages(artifacts, kept);
  const added = [...answerLeftCalls(before, say), ...say];
  const conversation = await appendMessages(artifacts, kept, added);
  const { answer, compacted } = await keepOnFailure(
    async () => ({ transcript: await keepTranscript(artifacts, conversation) }),
    () =>
      askWithinContext(parts.model, conversation, async (plan) => {
        const messages = compactedMessages([...before, ...added], plan);
        return askWithTools(parts, { messages, tools, key, ...(model && { model }) });
      }),
  );
  const decoded = decodeAnswer(answer.protocol ?? parts.model.protocol, answer, tools, turn);
  const summary = summariseAnswer(decoded, tools);
  const answered = await appendMessages(artifacts, conversation, [toAssistantMessage(decoded)]);
  return {
    ...summary,
    calls: summary.calls.map((call, index) => ({ ...call, brief: briefCall(decoded.toolCalls[index]) })),
    transcript: await keepTranscript(artifacts, answered),
    usage: answer.usage,
    model: answer.model,
    compacted,
  };
}

interface ToolQuestion extends Pick<ModelRequest, 'messages' | 'key' | 'model'> {
  tools: AskAgent['tools'];
}

/** Asks in the model's protocol, or in another one if the server refuses tools and nobody chose the protocol. */
async function askWithTools(parts: ModelParts, { messages, tools, ...rest }: ToolQuestion): Promise<ModelResponse> {
  const { protocol, protocolWithoutTools: other } = parts.model;
  try {
    return (await ask(parts, { ...rest, ...encodeQuestion(protocol, messages, tools) })).value;
  } catch (error) {
    if (!(error instanceof ModelFailure && error.refusesTools) || other === undefined) throw error;
    log().info('the model can’t call tools, so they are offered in another protocol', { protocol: other });
    return (await ask(parts, { ...rest, ...encodeQuestion(other, messages, tools) }, other)).value;
  }
}

/**
 * Asks with as much of the conversation as the model takes. A server may take less than is configured: if it refuses a
 * question as too long, half of it is asked, then half of that. @throws ModelFailure `model-context-too-long`
 */
async function askWithinContext<Answer>(
  { contextTokens, answerTokens }: Model,
  { entries }: Transcript,
  send: (plan: CompactionPlan) => Promise<Answer>,
): Promise<{ answer: Answer; compacted: number }> {
  const conversation = entries.map(({ role, tokens, ref }) => ({ role, tokens, ref: ref.sha256 }));
  let refusal = new ModelFailure('model-context-too-long', `The task alone fills the model's ${contextTokens} tokens`, {
    retryable: false,
  });
  for (let heldTokens = contextTokens; heldTokens >= leastContextTokens; heldTokens /= 2) {
    const plan = planCompaction(conversation, heldTokens, Math.min(answerTokens + toolTokens, heldTokens / 3));
    if (plan.tooLong) break;
    try {
      return { answer: await send(plan), compacted: plan.tailFrom - plan.head };
    } catch (error) {
      if (!(error instanceof ModelFailure && error.code === 'model-context-too-long')) throw error;
      refusal = error;
      log().warn('the model holds less than contextTokens says', { contextTokens, askedWithTokens: plan.tokens });
    }
  }
  throw refusal;
}

/** `edit src/app.py`: what an operator reads in the timeline. Untrusted text, cut short. */
function briefCall(call: ToolCall | undefined): string {
  if (!call) return '';
  const about = /"(?:path|command|text)"\s*:\s*"((?:[^"\\]|\\.){1,200})/.exec(call.arguments.slice(0, 2000))?.[1] ?? '';
  return `${call.name} ${about}`.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 100);
}
