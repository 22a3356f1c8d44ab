/**
 * Reads a memory that an earlier execution kept. The store only proves that these are the bytes that were kept: a run
 * that was moved to another version of Jig may find a memory of another shape.
 */
import { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import { isErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { RunMemory } from './memory.ts';

const Count = z.number().int().nonnegative();
const Texts = z.array(z.string());
const Code = z.custom<ErrorCode>(isErrorCode);
const ArtifactRef = z.looseObject({ sha256: z.string(), sizeBytes: Count });
/** What was made by others and is only passed on. It came from JSON, so it is JSON. */
const Given = z.record(z.string(), z.unknown());
const Command = { argv: Texts, env: z.record(z.string(), z.string()) };
const Edit = z.looseObject({ order: Count, path: z.string(), old: z.string(), new: z.string(), before: ArtifactRef });

const StepRecord = z.strictObject({
  outcome: z.enum(['succeeded', 'failed', 'skipped']),
  outputs: Given,
  cut: Texts.optional(),
  failure: z.strictObject({ code: Code, message: z.string(), path: z.string().optional() }).optional(),
  undo: z.array(Edit).optional(),
});
const CheckResult = z.looseObject({ command: z.string(), exitCode: z.number().int(), ending: z.string() });
const Verdict = z.strictObject({ passed: z.boolean(), reason: z.string() });
const Conversation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('agent'),
    asked: z.string(),
    work: Given,
    transcript: ArtifactRef,
    unsaid: z.array(Given),
  }),
  z.strictObject({ kind: z.literal('prompt'), asked: z.string(), earlier: z.array(Given), answer: ArtifactRef }),
]);

const KeptMemory = z.strictObject({
  version: z.literal(1),
  records: z.record(z.string(), StepRecord),
  rounds: z.record(z.string(), Count),
  feedback: z.record(z.string(), z.string()),
  sentBack: z.record(z.string(), Count),
  undo: z.array(z.strictObject({ path: z.string(), key: z.string(), edits: z.array(Edit) })),
  baseline: z.array(z.strictObject({ ...Command, result: CheckResult, counts: Texts.optional() })),
  gates: z.array(
    z.strictObject({ ...Command, shown: z.string(), timeoutMs: z.number(), steps: Texts, counts: Texts.optional() }),
  ),
  checks: z.array(
    z.strictObject({ step: z.string(), result: CheckResult, before: CheckResult.optional(), verdict: Verdict }),
  ),
  conversations: z.record(z.string(), Conversation),
  lastAgent: z.string().optional(),
  change: z.looseObject({ number: Count, url: z.string(), branch: z.string(), commit: z.string() }).optional(),
  spent: z.record(z.string(), z.number()),
  waitedMs: z.number(),
  seenAtMs: z.number(),
  sandbox: z.looseObject({ id: z.string(), provider: z.string() }).optional(),
  copy: Given.optional(),
  counts: z.strictObject({
    walks: Count,
    losses: Count,
    sandboxes: Count,
    copies: Count,
    cleanCheckouts: Count,
    edits: Count,
  }),
  sandboxIds: Texts,
  messages: z.strictObject({ paused: z.boolean(), cancelledBy: z.string().optional(), answers: Given }),
  shown: z.looseObject({ steps: z.array(z.looseObject({ path: z.string(), state: z.string() })) }),
} satisfies Record<keyof RunMemory, z.ZodType>);

/** Reads a kept memory. @throws Error that says what is wrong with it */
export function parseMemory(kept: Json): RunMemory {
  const parsed = KeptMemory.safeParse(kept);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an execution of this version kept what is not checked
  if (parsed.success) return kept as unknown as RunMemory;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new Error(`it is not a memory of this version of Jig: ${where === '' ? '' : `${where}: `}${issue?.message}`);
}
