/**
 * Everything that a run knows, as plain data: what was done, spent, said and shown. Going on as a new execution,
 * sending back and coming back to another sandbox are operations on it. Nothing that must outlive an execution is kept
 * anywhere else.
 */
import type { Spent } from '../agent/budget.ts';
import { nothingSpent } from '../agent/budget.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { CommandIdentity } from '../evidence/command-identity.ts';
import type { CheckResult, Verdict } from '../evidence/gate.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { AskAgent, SandboxCopy } from '../activities/contract.ts';
import type { AgentWork } from './agent.ts';
import type { ChangeSummary, RunState } from './messages.ts';

/** A run's memory. It goes along from one execution to the next. */
export interface RunMemory {
  version: 1;
  /** What has been done, by key: steps, and items of blocks. */
  records: Record<string, StepRecord>;
  /** How often a step was sent back, by the step's key without its own round. */
  rounds: Record<string, number>;
  /** What a person said when sending work back, by the new key of the step that is done again. */
  feedback: Record<string, string>;
  /** How often a question has sent work back, by the key of its step without its own round. */
  sentBack: Record<string, number>;
  /** Edits that were sent back and are not undone yet. */
  undo: PendingUndo[];
  /** What each command of a check did before the change. */
  baseline: BaselineResult[];
  /** Commands that gate the change, in the order of their first use. */
  gates: GateCommand[];
  /** Results of the checks, newest last, for the evidence. */
  checks: CheckRecord[];
  /** Conversations with models, by the path of their step. Feedback goes back to them. */
  conversations: Record<string, Conversation>;
  /** The path of the agent step that ran last. */
  lastAgent?: string;
  change?: OpenedChange;
  spent: Spent;
  /** How long the whole run has waited for people and CI, which the budget leaves out. */
  waitedMs: number;
  /** When the run was last at work. After a long gap it checks whether anything has changed. */
  seenAtMs: number;
  /** Where commands run now; undefined before it is made and after it was let go. */
  sandbox?: SandboxRef;
  /** The workspace as the last step left it, if it was copied. */
  copy?: SandboxCopy;
  /**
   * Counters: how often the walk started again from the top, how often the sandbox was lost, and the numbers for what
   * is made only once.
   */
  counts: { walks: number; losses: number; sandboxes: number; copies: number; cleanCheckouts: number; edits: number };
  /** The sandboxes that may still exist. */
  sandboxIds: string[];
  /** What people have said. It is read last when the run goes on as a new execution. */
  messages: Messages;
  /** What the run shows. */
  shown: RunState;
}

/** What is recorded of a step that is done, or of an item. */
export interface StepRecord {
  outcome: 'succeeded' | 'failed' | 'skipped';
  /** What expressions read. */
  outputs: Record<string, Json>;
  /** Names of outputs that were cut. An expression that reads one fails. */
  cut?: string[];
  /** Why it failed, and the path of the inner step that failed. */
  failure?: { code: ErrorCode; message: string; path?: string };
  /** The edits to undo if the step is sent back. */
  undo?: EditUndo[];
}

/** An edit that was made. `order` numbers the run's edits. */
export interface EditUndo {
  order: number;
  path: string;
  old: string;
  new: string;
  line?: number;
  all: boolean;
  /** The file before the edit, and the hash of the file after it. */
  before: ArtifactRef;
  afterSha256: string;
}

/** The edits to undo before the step `key` is done again. */
export interface PendingUndo {
  path: string;
  key: string;
  edits: EditUndo[];
}

/** What a command did before the change. */
export interface BaselineResult extends CommandIdentity {
  result: CheckResult;
  /** Where the reports of its test runner are, as its step said. */
  counts?: string[];
}

interface GateCommand extends CommandIdentity {
  shown: string;
  timeoutMs: number;
  counts?: string[];
  /** The keys of the steps that it decided in the sandbox. */
  steps: string[];
}

/** The result of one command of a check. */
export interface CheckRecord {
  step: string;
  result: CheckResult;
  /** What the same command did before the change. */
  before?: CheckResult;
  verdict: Verdict;
}

/** `asked` is what it began with: an item of a block may be another one when its block is done again. */
type Conversation = { asked: string } & (
  | { kind: 'agent'; work: AgentWork; transcript: ArtifactRef; unsaid: AskAgent['say'] }
  /** The answers so far, each with what was said about it. Nothing was said about the last one. */
  | { kind: 'prompt'; earlier: { answer: ArtifactRef; error: string }[]; answer: ArtifactRef }
);

/** A change that the run opened, with what is needed to update it. */
export interface OpenedChange extends ChangeSummary {
  title: string;
  body: string;
  draft: boolean;
  labels: string[];
  gate: 'clean' | 'spared';
  /** What the run's line says of it. Names of files in it are untrusted. */
  surprises: string[];
}

interface Messages {
  paused: boolean;
  /** Who cancelled the run, and what they said. */
  cancelledBy?: string;
  /** Answers to the questions that are open, by the question's id. */
  answers: Record<string, Answer>;
}

/** What a person decided. */
export interface Answer {
  decision: 'approve' | 'reject' | 'send-back';
  by: string;
  comment: string;
  /** The step that the work is sent back to. */
  to?: string;
}

/** The memory of a run that begins. */
export function newMemory(shown: RunState): RunMemory {
  return {
    version: 1,
    ...emptyRecords(),
    spent: nothingSpent,
    waitedMs: 0,
    seenAtMs: Date.now(),
    counts: { walks: 0, losses: 0, sandboxes: 0, copies: 0, cleanCheckouts: 0, edits: 0 },
    sandboxIds: [],
    messages: { paused: false, answers: {} },
    shown,
  };
}

/** Prepares a new walk from the top. What was spent, said and shown stays; what was done is forgotten. */
export function resetForNewWalk(memory: RunMemory): void {
  delete memory.lastAgent;
  delete memory.sandbox;
  delete memory.copy;
  Object.assign(memory, emptyRecords());
}

function emptyRecords(): Pick<
  RunMemory,
  'records' | 'rounds' | 'feedback' | 'sentBack' | 'undo' | 'baseline' | 'gates' | 'checks' | 'conversations'
> {
  return {
    records: {},
    rounds: {},
    feedback: {},
    sentBack: {},
    undo: [],
    baseline: [],
    gates: [],
    checks: [],
    conversations: {},
  };
}
