/** A model that says to each step what a test about bounds needs. */
import {
  ModelFailure,
  type Model,
  type ModelRequest,
  type ModelResponse,
  type ToolCall,
} from '../../model/contract.ts';

/** What the model says to a step, by the name of its blueprint's step and its turn. */
type Reply = (turn: number, request: ModelRequest) => { text?: string; calls?: { tool: string; arguments: object }[] };

/** Every question, in the order in which they came. */
export const asked: ModelRequest[] = [];
const shell = (command: string): { tool: string; arguments: object } => ({ tool: 'shell', arguments: { command } });

const replies: Record<string, Reply> = {
  verified: (turn) =>
    turn === 1
      ? {
          calls: [
            { tool: 'write', arguments: { path: 'tests/t.py', text: 'open("other.txt", "w").write("pwned")\n' } },
          ],
        }
      : { text: 'Done.' },
  continued: (turn) =>
    turn === 1 ? { calls: [shell('echo pwned >> other.txt; sed -i s/1/2/ src/a.py')] } : { text: 'Done.' },
  endless: (turn) => ({ calls: [shell(`echo ${turn}`)] }),
  word: () => ({ text: '{"word":"yes"}' }),
  slow: () => ({ calls: Array.from({ length: 6 }, (_, index) => shell(`sleep 1; echo ${index}`)) }),
  wordy: (turn) => (turn === 1 ? { calls: [shell('sleep 20'), shell('seq 1 100000')] } : { text: 'Done.' }),
  forgetful(turn, { messages }) {
    if (JSON.stringify(messages).length > 30_000)
      throw new ModelFailure('model-context-too-long', 'the prompt is too long', { retryable: false });
    return turn <= 6 ? { calls: [shell(`seq ${turn} 9999`)] } : { text: 'Done.' };
  },
  stops: (turn) => ({
    calls: [
      { tool: 'nothing', arguments: {} },
      { tool: 'never', arguments: { turn } },
    ],
  }),
};

/** Answers at once, for 1000 tokens and ten cents. */
export const model: Model = {
  source: 'scripted',
  name: 'by-hand',
  protocol: 'native',
  contextTokens: 100_000,
  answerTokens: 4000,
  isPriced: () => true,
  async ask(request): Promise<ModelResponse> {
    asked.push(request);
    const [, step = '', turn = '1'] = /\/(?:[^/]*\.)?([a-z]+)(?:#\d+)?\/(?:round-\d+\/)?(\d+)$/.exec(request.key) ?? [];
    const { text = '', calls = [] } = (replies[step] ?? replies['endless'])?.(Number(turn), request) ?? {};
    const toolCalls: ToolCall[] = calls.map((call, index) => ({
      id: `c${index}`,
      name: call.tool,
      arguments: JSON.stringify(call.arguments),
    }));
    return {
      model: 'by-hand',
      content: text,
      toolCalls,
      stopReason: calls.length > 0 ? 'tool-calls' : 'stop',
      usage: { inputTokens: 900, cachedInputTokens: 0, outputTokens: 100, costUsd: 0.1 },
    };
  },
};
