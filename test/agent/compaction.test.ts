import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { compactedMessages, planCompaction, type ConversationEntry } from '../../agent/compaction.ts';
import type { Message } from '../../model/contract.ts';

/** A conversation as the loop makes it: system, task, then answers with their results, and feedback in between. */
const conversation = fc
  .array(
    fc.oneof(
      fc.record({ results: fc.array(fc.nat(4000), { maxLength: 16 }), answer: fc.nat(800) }),
      fc.record({ feedback: fc.nat(1500) }),
    ),
    { maxLength: 30 },
  )
  .map((parts): ConversationEntry[] => {
    const rest = parts.flatMap((part): Omit<ConversationEntry, 'ref'>[] =>
      'feedback' in part
        ? [{ role: 'user', tokens: part.feedback }]
        : [
            { role: 'assistant', tokens: part.answer },
            ...part.results.map((tokens) => ({ role: 'tool' as const, tokens })),
          ],
    );
    const all: Omit<ConversationEntry, 'ref'>[] = [
      { role: 'system', tokens: 300 },
      { role: 'user', tokens: 200 },
      ...rest,
    ];
    return all.map((entry, index) => ({ ...entry, ref: String(index) }));
  });

test('a conversation that fits stays whole', () => {
  const entries: ConversationEntry[] = [
    { ref: 's', role: 'system', tokens: 10 },
    { ref: 't', role: 'user', tokens: 10 },
    { ref: 'a', role: 'assistant', tokens: 10 },
  ];
  assert.deepEqual(planCompaction(entries, 1000, 100), { head: 2, tailFrom: 2, tooLong: false, tokens: 30 });
});

test('what a plan keeps fits, or the plan says that it is too long', () => {
  fc.assert(
    fc.property(conversation, fc.integer({ min: 2000, max: 40_000 }), (entries, contextTokens) => {
      const plan = planCompaction(entries, contextTokens, 1000);
      assert(plan.tooLong || plan.tokens <= contextTokens - 1000);
      const cut = (entry: ConversationEntry) =>
        entry.role === 'tool' && plan.maxResultChars !== undefined
          ? Math.min(entry.tokens, plan.maxResultChars)
          : entry.tokens;
      const kept = [
        ...entries.slice(0, plan.head),
        ...entries.slice(plan.tailFrom).map((entry) => ({ ...entry, tokens: cut(entry) })),
      ];
      assert(plan.tooLong || kept.reduce((sum, entry) => sum + entry.tokens, 0) <= contextTokens - 1000);
    }),
  );
});

test('with room for the newest group, no plan is too long', () => {
  fc.assert(fc.property(conversation, (entries) => !planCompaction(entries, 8192, 2048).tooLong));
});

test('a tool call is never split from its results, and the system prompt and the task always stay', () => {
  fc.assert(
    fc.property(conversation, fc.integer({ min: 500, max: 20_000 }), (entries, contextTokens) => {
      const plan = planCompaction(entries, contextTokens, 100);
      assert.equal(plan.head, 2);
      assert(plan.tailFrom >= plan.head);
      assert.notEqual(entries[plan.tailFrom]?.role, 'tool');
    }),
  );
});

test('the newest group always stays', () => {
  fc.assert(
    fc.property(
      conversation.filter((entries) => entries.length > 2),
      fc.integer({ min: 500, max: 20_000 }),
      (entries, contextTokens) => planCompaction(entries, contextTokens, 100).tailFrom < entries.length,
    ),
  );
});

test('a notice says how many messages were dropped, and long results are cut', () => {
  const messages: Message[] = [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'T' },
    { role: 'assistant', content: 'old', toolCalls: [] },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'read', arguments: '{}' }] },
    { role: 'tool', toolCallId: 'c', content: 'x'.repeat(1000) },
  ];
  const compacted = compactedMessages(messages, {
    head: 2,
    tailFrom: 3,
    maxResultChars: 200,
    tooLong: false,
    tokens: 0,
  });
  assert.deepEqual(
    compacted.map((message) => message.role),
    ['system', 'user', 'user', 'assistant', 'tool'],
  );
  assert.match(compacted[2]?.content ?? '', /^\[1 earlier messages were left out/);
  assert(compacted[4] && compacted[4].content.length <= 200);
});
