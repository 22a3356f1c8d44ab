/** What the interpreter and the step kinds share while a run goes on. */
import type { OpenedRun } from '../activities/contract.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { BudgetLimits, Spent } from '../agent/budget.ts';
import type { NamedStep } from '../blueprints/steps.ts';
import type { CheckRun, Verdict } from '../evidence/gate.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { BoundedTask } from './agent.ts';
import type { RunControl } from './control.ts';
import type { Journal, StepResult } from './journal.ts';
import type { Json } from '../base/json.ts';
import type { ChangeSummary, RunRequest } from './messages.ts';
import type { RunView } from './view.ts';

/** A command as it will run, with the words its author wrote. */
export interface RenderedCommand {
  shown: string;
  argv: string[];
}

/** What later steps need of earlier ones beyond their outputs; goes along with the journal. */
export interface Carried {
  /** What each command of a check did before the change, by its shown form. */
  baseline: Record<string, CheckRun>;
  /** Commands that gate the change, in the order of their first use. */
  gates: { command: RenderedCommand; env: Record<string, string>; timeoutMs: number }[];
  /** Results of the checks, newest last, for the evidence. */
  checks: { step: string; run: CheckRun; verdict: Verdict }[];
  /** Conversations of the agent steps, by step path: a failed CI or a human's comment goes back to one. */
  agents: Record<string, { task: BoundedTask; transcript: ArtifactRef }>;
  /** The agent step that ran last. */
  lastAgent?: string;
  /** What a human said when sending a step back, by step path. */
  feedback: Record<string, string>;
  change?: OpenedChange;
  /** How many clean checkouts were made; numbers their sandboxes. */
  cleanCheckouts: number;
  spent: Spent;
  /** Time spent waiting for people and CI, which the budget leaves out. */
  waitedMs: number;
  /** When the run was last seen going; after a long gap it looks whether the world has moved. */
  seenAtMs: number;
}

/** A change as the run opened it, with what it takes to bring it up to date. */
export interface OpenedChange extends ChangeSummary {
  title: string;
  body: string;
  draft: boolean;
  labels: string[];
  gate: 'clean' | 'spared';
}

export interface RunContext {
  request: RunRequest;
  opened: OpenedRun;
  /** Names this run's effects for ever: the first execution's id, and a suffix after a lost sandbox. */
  key: string;
  sandbox: SandboxRef;
  journal: Journal;
  carried: Carried;
  view: RunView;
  control: RunControl;
  limits: BudgetLimits;
  /** How many steps may go on at once where this one does. */
  atOnce: number;
  /** What the steps that are going on may still spend, so that together they can't pass the run's budget. */
  held: Set<HeldBudget>;
  /** The last edit of each file. */
  edits: Map<string, Promise<unknown>>;
}

/** What a step may still spend while it goes on. */
export interface HeldBudget {
  turns: number;
  tokens: number;
  usd: number;
}

/** What expressions can read at one place. */
export interface Scope {
  values: Record<string, Json>;
  /** Paths of outputs that were cut: reading one fails. */
  cut: Set<string>;
  /** Paths of numbers that are doubles, though they may be whole. */
  doubles: ReadonlySet<string>;
}

/** Where a step stands: what a step kind is given. */
export interface StepPlace<Kind> {
  step: Kind;
  path: string;
  /** The path with its round: names the step's effects within the run. */
  key: string;
  scope: Scope;
  /** The steps of the same list that came before. */
  before: NamedStep[];
}

/** Carries out one kind of step. */
export type StepKindAction<Kind> = (run: RunContext, place: StepPlace<Kind>) => Promise<StepResult>;
