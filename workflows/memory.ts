/**
 * All that a run knows of itself, as plain data: what is done, spent, said and shown. Going on as a new execution,
 * sending back and coming back to another sandbox are operations on it; nothing that must outlive an execution is kept
 * anywhere else.
 */
import type { Spent } from '../agent/budget.ts';
import { nothingSpent } from '../agent/budget.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { CommandIdentity } from '../evidence/command-identity.ts';
import type { CheckRun, Verdict } from '../evidence/gate.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { SandboxCopy } from '../activities/contract.ts';
import type { AgentWork } from './agent.ts';
import type { ChangeSummary, RunState } from './messages.ts';

export interface RunMemory {
  version: 1;
  /** What has been done, by key: steps, and items of blocks. */
  records: Record<string, StepRecord>;
  /** How often a step was sent back, by its key without its own round. */
  rounds: Record<string, number>;
  /** What a person said when sending work back, by the key under which it is done again. */
  feedback: Record<string, string>;
  /** What each command of a check did before the change. */
  baseline: BaselineRun[];
  /** Commands that gate the change, in the order of their first use. */
  gates: GateCommand[];
  /** Results of the checks, newest last, for the evidence. */
  checks: CheckRecord[];
  /** Conversations with models, by the path of their step: feedback goes back to them. */
  conversations: Record<string, Conversation>;
  /** The path of the agent step that ran last. */
  lastAgent?: string;
  change?: OpenedChange;
  spent: Spent;
  /** Time in which nothing but people and CI was waited for; the budget leaves it out. */
  waitedMs: number;
  /** When the run was last seen going; after a long gap it looks whether the world has moved. */
  seenAtMs: number;
  /** Where commands run now; undefined before it was made and while it is let go. */
  sandbox?: SandboxRef;
  /** The workspace as the last step left it, where that was copied. */
  copy?: SandboxCopy;
  /** How often the walk began from the top and the sandbox was lost, and what else is numbered because it is made once. */
  counts: { walks: number; losses: number; sandboxes: number; copies: number; cleanCheckouts: number; edits: number };
  /** The sandboxes that may still be there. */
  sandboxIds: string[];
  /** What people have said; read last when the run goes on as a new execution. */
  messages: Messages;
  /** What the run shows. */
  shown: RunState;
}

export interface StepRecord {
  outcome: 'succeeded' | 'failed' | 'skipped';
  /** What expressions read. */
  outputs: Record<string, Json>;
  /** Names of the outputs that hold only a part: reading one fails. */
  cut?: string[];
  /** Why it failed, and at which step inside of it. */
  failure?: { code: ErrorCode; message: string; path?: string };
  /** Edits that sending the step back takes back. */
  undo?: EditUndo[];
}

/** An edit as it was made; `order` counts the run's edits. */
export interface EditUndo {
  order: number;
  path: string;
  old: string;
  new: string;
  line?: number;
  all: boolean;
  /** The file before the edit, and the hash of what the edit made of it. */
  before: ArtifactRef;
  afterSha256: string;
}

export interface BaselineRun extends CommandIdentity {
  run: CheckRun;
}

interface GateCommand extends CommandIdentity {
  shown: string;
  timeoutMs: number;
}

export interface CheckRecord {
  step: string;
  run: CheckRun;
  /** What the same command did before the change. */
  before?: CheckRun;
  verdict: Verdict;
}

type Conversation =
  | { kind: 'agent'; work: AgentWork; transcript: ArtifactRef }
  /** The answers so far, each with what was said to it; the last with nothing. */
  | { kind: 'prompt'; earlier: { answer: ArtifactRef; error: string }[]; answer: ArtifactRef };

/** A change as the run opened it, with what it takes to bring it up to date. */
export interface OpenedChange extends ChangeSummary {
  title: string;
  body: string;
  draft: boolean;
  labels: string[];
  gate: 'clean' | 'spared';
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

export function newMemory(shown: RunState): RunMemory {
  return {
    version: 1,
    ...forgotten(),
    spent: nothingSpent,
    waitedMs: 0,
    seenAtMs: Date.now(),
    counts: { walks: 0, losses: 0, sandboxes: 0, copies: 0, cleanCheckouts: 0, edits: 0 },
    sandboxIds: [],
    messages: { paused: false, answers: {} },
    shown,
  };
}

/** Before a walk from the top: what was spent, said and shown stays, what was done is forgotten. */
export function forgetWork(memory: RunMemory): void {
  delete memory.lastAgent;
  delete memory.sandbox;
  delete memory.copy;
  Object.assign(memory, forgotten());
}

function forgotten(): Pick<
  RunMemory,
  'records' | 'rounds' | 'feedback' | 'baseline' | 'gates' | 'checks' | 'conversations'
> {
  return { records: {}, rounds: {}, feedback: {}, baseline: [], gates: [], checks: [], conversations: {} };
}
