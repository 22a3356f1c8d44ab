/** A model whose answers depend only on the conversation, so that the plain model of the language can predict them. */
import type { Message, Model, ModelResponse } from '../../model/contract.ts';
import { heardIn } from './case.ts';

export const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1, costUsd: 0.001 };

/** A question: who asks it, after how many answers, and what people have said before. */
export interface Question {
  name: string;
  answers: number;
  heard: string[];
}

export const describeQuestion = ({ name, answers, heard }: Question): string =>
  ['ask', name, answers, ...heard].join(' ');

/** A prompt's answer: its number, and the last word that people said. */
export const promptWord = ({ answers, heard }: Question): string => `v${answers + 1}${heard.at(-1) ?? ''}`;
/** What an agent does when it is told something. */
export const agentCommand = ({ name, answers }: Question): string => `append f-${name} t${answers}`;

export const nameIn = (text: string): string => /#([\w-]+)/.exec(text)?.[1] ?? '';

function readQuestion(messages: Message[]): Question {
  const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
  return {
    name: nameIn(said[0] ?? ''),
    answers: messages.filter(({ role }) => role === 'assistant').length,
    heard: said.flatMap(heardIn),
  };
}

/** Prompts get a word. An agent acts once on everything that it is told, and then says that it is done. */
export function createScriptedModel(isUnusable: (key: string) => boolean, asked: (question: Question) => void): Model {
  return {
    source: 'scripted',
    name: 'plain',
    protocol: 'native',
    contextTokens: 1_000_000,
    answerTokens: 4000,
    isPriced: () => true,
    async ask({ messages, answer, key }): Promise<ModelResponse> {
      const question = readQuestion(messages);
      asked(question);
      const response = { model: 'plain', content: '', toolCalls: [], stopReason: 'stop' as const, usage };
      if (isUnusable(key)) return response;
      if (answer) return { ...response, content: JSON.stringify({ word: promptWord(question) }) };
      if (messages.at(-1)?.role === 'tool') return { ...response, content: 'Done.' };
      const call = JSON.stringify({ command: agentCommand(question) });
      return { ...response, toolCalls: [{ id: 'call', name: 'shell', arguments: call }], stopReason: 'tool-calls' };
    },
  };
}
