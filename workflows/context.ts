/** What the interpreter and the step kinds share while a run goes on. */
import type { CancellationScope } from '@temporalio/workflow';
import type { OpenedRun } from '../activities/contract.ts';
import type { BudgetLimits } from '../agent/budget.ts';
import type { Json } from '../base/json.ts';
import type { Doubles } from '../blueprints/cel-values.ts';
import type { NamedStep } from '../blueprints/steps.ts';
import type { CommandIdentity } from '../evidence/command-identity.ts';
import type { Usage } from '../model/contract.ts';
import type { Absence } from './absence.ts';
import type { Clock } from './clock.ts';
import type { RunControl } from './control.ts';
import type { StepName } from './journal.ts';
import type { EditUndo, RunMemory } from './memory.ts';
import type { RunRequest } from './messages.ts';
import type { RunView } from './view.ts';

/** A command as it will run. `shown` is for people only; commands are told apart by the rest. */
export interface RenderedCommand {
  shown: string;
  argv: string[];
}

/** A command in its environment. */
export type CheckCommand = RenderedCommand &
  CommandIdentity & {
    /** Globs of the reports that its test runner writes. */
    counts?: string[];
  };

/** A run as its steps see it. */
export interface RunContext {
  request: RunRequest;
  opened: OpenedRun;
  /**
   * Names this run's effects and never changes: the first execution's id, with a suffix once the walk started again.
   */
  key: string;
  memory: RunMemory;
  view: RunView;
  control: RunControl;
  clock: Clock;
  absence: Absence;
  limits: BudgetLimits;
  /** The scope of waits for people. It is cancelled once their answers can't matter any more. */
  waits: CancellationScope;
  /** How many steps may run at the same time as this one, itself included. */
  atOnce: number;
  /** What the steps at work may still spend, so that together they can't exceed the run's budget. */
  held: Set<HeldBudget>;
  /** Edits run one after the other, whatever their files are called: each reads and writes a whole file. */
  edits: { last: Promise<unknown> };
  /** The check for changes outside of the run, while it is under way. */
  guard: { looking: Promise<void> | undefined };
}

/** What a step at work may still spend. */
export interface HeldBudget {
  /** An agent holds its share of what is left; a prompt holds one question. */
  isAgent: boolean;
  turns: number;
  tokens: number;
  usd: number;
}

/** What expressions can read at one place. */
export interface Scope {
  values: Record<string, Json>;
  /** Paths of outputs that were cut: reading one fails. */
  cut: Set<string>;
  /** The places whose numbers are doubles, though they may be whole. */
  doubles: ReadonlyMap<string, Doubles>;
}

/** A step and its place in the run: what its action is given. */
export interface StepPlace<Step> extends StepName {
  step: Step;
  scope: Scope;
  /** The earlier steps of the same list. */
  before: NamedStep[];
  /** What a person said when sending back this step, or a block around it. */
  feedback?: string;
  /** For blocks: carries out their steps for one item. */
  walkItem: (run: RunContext, steps: NamedStep[], scope: Scope, index: number) => Promise<void>;
}

/** What an action gives back to the interpreter. */
export interface StepResult {
  outputs: Record<string, Json>;
  cut?: string[];
  note?: string;
  usage?: Usage;
  undo?: EditUndo[];
}

/** Carries out one kind of step. */
export type StepAction<Step> = (run: RunContext, place: StepPlace<Step>) => Promise<StepResult>;
