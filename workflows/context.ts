/** What the interpreter and the step kinds share while a run goes on. */
import type { CancellationScope } from '@temporalio/workflow';
import type { OpenedRun } from '../activities/contract.ts';
import type { BudgetLimits } from '../agent/budget.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { Json } from '../base/json.ts';
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

/** A command as it will run. `shown` is what people read, and never what tells commands apart. */
export interface RenderedCommand {
  shown: string;
  argv: string[];
}

/** A command in its environment. */
export type CheckCommand = RenderedCommand & CommandIdentity;

export interface RunContext {
  request: RunRequest;
  opened: OpenedRun;
  /** Names this run's effects for ever: the first execution's id, and a suffix after the walk began anew. */
  key: string;
  memory: RunMemory;
  view: RunView;
  control: RunControl;
  clock: Clock;
  absence: Absence;
  limits: BudgetLimits;
  /** In which people are waited for: cancelled where nothing can come of their answers any more. */
  waits: CancellationScope;
  /** How many steps may go on at once where this one does. */
  atOnce: number;
  /** What the steps that are going on may still spend, so that together they can't pass the run's budget. */
  held: Set<HeldBudget>;
  /** Edits go one after the other, whatever names their files go by: each reads and writes the whole file. */
  edits: { last: Promise<unknown> };
  /** The look at whether the world has moved, while it goes on. */
  guard: { looking: Promise<void> | undefined };
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

/** Where a step stands: what its action is given. */
export interface StepPlace<Step> extends StepName {
  step: Step;
  scope: Scope;
  /** The steps of the same list that came before. */
  before: NamedStep[];
  /** What a person said when sending this step back, or a block that it stands in. */
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
  artifacts?: Record<string, ArtifactRef>;
  undo?: EditUndo[];
}

/** Carries out one kind of step. */
export type StepAction<Step> = (run: RunContext, place: StepPlace<Step>) => Promise<StepResult>;
