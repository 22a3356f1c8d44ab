/**
 * How a conversation that outgrows its model is made to fit. Pure; runs in workflow code, which knows the messages only
 * by reference and size; the activity that has the texts carries the plan out with {@link compactedMessages}.
 *
 * The first messages (system and task) always stay, whole. Of the rest, the newest stay, in groups: a model's answer
 * and the results of its tool calls are one group, and a group stays or goes as one.
 */
import type { Message } from '../model/contract.ts';
import { compactionNotice } from './prompts.ts';
import { cutText } from './cut-text.ts';

export interface ConversationEntry {
  /** Names the message's text, for whoever keeps it. */
  ref: string;
  role: Message['role'];
  tokens: number;
}

export interface CompactionPlan {
  /** The messages before this index stay. */
  head: number;
  /** The messages from this index on stay; those between are dropped. */
  tailFrom: number;
  /** Tool results that stay are cut to this, where they are longer. */
  maxResultChars?: number;
  /** Whether even this is too much: the system prompt and the task alone fill the model. */
  tooLong: boolean;
  /** Estimated tokens of what stays. */
  tokens: number;
}

/** Tokens that the notice about dropped messages takes. */
const noticeTokens = 80;
/** Shortest tool result that is worth keeping. A token is at least a character, so a result cut to as many characters fits for sure. */
const minResultTokens = 100;

/** Plans what stays of `entries` where `contextTokens` less `reserveTokens` (for tools and the answer) are there for it. */
export function planCompaction(
  entries: ConversationEntry[],
  contextTokens: number,
  reserveTokens: number,
): CompactionPlan {
  const room = contextTokens - reserveTokens;
  const all = sumTokens(entries);
  const head = headLength(entries);
  const headTokens = sumTokens(entries.slice(0, head));
  if (all <= room) return { head, tailFrom: head, tooLong: false, tokens: all };

  const groups = groupStarts(entries, head);
  let tailFrom = entries.length;
  let tailTokens = 0;
  // Half of the room at most, so that the next turns don't compact again at once, and the model's cache stays warm.
  const tailRoom = Math.max((room - headTokens - noticeTokens) / 2, 0);
  for (const start of groups.toReversed()) {
    const groupTokens = sumTokens(entries.slice(start, tailFrom));
    if (tailTokens + groupTokens > tailRoom) break;
    tailTokens += groupTokens;
    tailFrom = start;
  }
  const last = groups.at(-1);
  if (tailFrom < entries.length || last === undefined) {
    const notice = tailFrom > head ? noticeTokens : 0;
    const tokens = headTokens + notice + tailTokens;
    return { head, tailFrom, tooLong: tokens > room, tokens };
  }
  return keepLastGroup(entries, head, last, room);
}

/** Where the last group alone is more than half of the room, it stays, with its tool results cut as far as it takes. */
function keepLastGroup(entries: ConversationEntry[], head: number, tailFrom: number, room: number): CompactionPlan {
  const fixedTokens = sumTokens(entries.slice(0, head)) + (tailFrom > head ? noticeTokens : 0);
  const group = entries.slice(tailFrom);
  const results = group.filter((entry) => entry.role === 'tool');
  const otherTokens = sumTokens(group) - sumTokens(results);
  const tokens = fixedTokens + sumTokens(group);
  if (tokens <= room) return { head, tailFrom, tooLong: false, tokens };
  const share = results.length === 0 ? 0 : Math.floor((room - fixedTokens - otherTokens) / results.length);
  const resultTokens = Math.max(share, minResultTokens);
  const cutTokens =
    fixedTokens + otherTokens + results.reduce((sum, entry) => sum + Math.min(entry.tokens, resultTokens), 0);
  return { head, tailFrom, maxResultChars: resultTokens, tooLong: cutTokens > room, tokens: cutTokens };
}

/** The messages that a plan leaves, with a notice where some are gone. */
export function compactedMessages(messages: Message[], plan: CompactionPlan): Message[] {
  const dropped = plan.tailFrom - plan.head;
  const notice: Message[] = dropped > 0 ? [{ role: 'user', content: compactionNotice(dropped) }] : [];
  const tail = messages.slice(plan.tailFrom).map((message): Message => {
    if (message.role !== 'tool' || plan.maxResultChars === undefined) return message;
    return { ...message, content: cutText(message.content, plan.maxResultChars) };
  });
  return [...messages.slice(0, plan.head), ...notice, ...tail];
}

/** The system prompt and the task: everything up to the first answer, but at most two messages. */
function headLength(entries: ConversationEntry[]): number {
  const firstAnswer = entries.findIndex((entry) => entry.role === 'assistant');
  return Math.min(firstAnswer < 0 ? entries.length : firstAnswer, 2);
}

/** Indexes at which a group starts: at every message but a tool's result. */
function groupStarts(entries: ConversationEntry[], from: number): number[] {
  return entries.flatMap((entry, index) => (index >= from && entry.role !== 'tool' ? [index] : []));
}

function sumTokens(entries: ConversationEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.tokens, 0);
}
