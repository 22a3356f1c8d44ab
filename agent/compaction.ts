/**
 * Shortens a conversation that has outgrown its model. It is pure and runs in workflow code, which knows messages only
 * by reference and size. The activity that has the texts carries out the plan with {@link compactedMessages}.
 *
 * The first messages (system prompt and task) always stay whole. Of the rest, the newest stay, in groups: a model's
 * answer and the results of its tool calls are one group, and a group stays or goes as a whole.
 */
import type { Message } from '../model/contract.ts';
import { compactionNotice } from './prompts.ts';
import { cutText } from './cut-text.ts';

/** A message as workflow code knows it. `tokens` is an estimate. */
export interface ConversationEntry {
  /** The reference to the message's text. */
  ref: string;
  role: Message['role'];
  tokens: number;
}

/** Which messages of a conversation stay. */
export interface CompactionPlan {
  /** The messages before this index stay. */
  head: number;
  /** The messages from this index on stay; those between are dropped. */
  tailFrom: number;
  /** Longer tool results that stay are cut to this length. */
  maxResultChars?: number;
  /** Whether even this is too long, because the system prompt and the task alone fill the context. */
  tooLong: boolean;
  /** Estimated tokens of what stays. */
  tokens: number;
}

/** Tokens of the notice about dropped messages. */
const noticeTokens = 80;
/**
 * The shortest tool result that is worth keeping. A token has at least one character, so a result cut to this many
 * characters is sure to fit.
 */
const minResultTokens = 100;

/**
 * Plans what stays of `entries` to fit into `contextTokens` less `reserveTokens`, which are for tools and the answer.
 */
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
  // It uses at most half of the room, so that the next turns don't compact again and the model's cache stays useful.
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

/**
 * The plan if the last group alone takes more than half of the room: the group stays, with its tool results cut to fit.
 */
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

/** The messages that a plan keeps, with a notice if some were dropped. */
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

/** The indexes at which a group starts: every message that isn't a tool result. */
function groupStarts(entries: ConversationEntry[], from: number): number[] {
  return entries.flatMap((entry, index) => (index >= from && entry.role !== 'tool' ? [index] : []));
}

function sumTokens(entries: ConversationEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.tokens, 0);
}
