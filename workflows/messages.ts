/** The workflows' public interface: what a run is started with, what it can be told, and what it reports. */
import { z } from 'zod';
import { BlueprintFile } from '../blueprints/folder.ts';
import { Outcome } from '../blueprints/schema.ts';
import { Usage, type Message } from '../model/contract.ts';
import { ArtifactRef } from '../artifacts/contract.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { StateReached } from '../sandbox/contract.ts';

/**
 * A blueprint that travels with its run, pinned by one hash over all of its files. Later changes to the folder don't
 * matter.
 */
export const PinnedBlueprint = z.strictObject({
  name: z.string(),
  /** Of `blueprint.yaml`. */
  text: z.string(),
  /** The other files of its folder, if any: by reference if the client shares the worker's store, else by value. */
  files: z.union([ArtifactRef, z.array(BlueprintFile)]).optional(),
  /** As `blueprints/pin.ts` makes it. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The file that it came from, for messages only. */
  file: z.string(),
});
export type PinnedBlueprint = z.infer<typeof PinnedBlueprint>;

/** The detail of an activity's failure. */
export const FailureDetails = z.object({
  /** What a question cost, because the model had begun to answer. */
  usage: Usage.optional(),
  /** What was kept before the failure, by name. */
  kept: z.record(z.string(), ArtifactRef).optional(),
});
export type FailureDetails = z.infer<typeof FailureDetails>;

/** The argument of the workflow `run`. */
export const RunRequest = z.strictObject({
  blueprint: PinnedBlueprint,
  repository: z.strictObject({ forge: z.string(), name: z.string(), branch: z.string().optional() }),
  inputs: z.record(z.string(), z.json()),
  requester: z.string().max(200),
  campaign: z.string().max(200).optional(),
});
export type RunRequest = z.infer<typeof RunRequest> & { inputs: Record<string, Json> };

const phases = [
  'starting',
  'preparing',
  'running',
  'waiting-for-human',
  'waiting-for-ci',
  'paused',
  'cleaning-up',
  'ended',
] as const;
export type Phase = (typeof phases)[number];

/** One step as a person sees it. */
export interface StepRow {
  /** The number of the row, from 1. A step that is done again gets a new row. */
  number: number;
  /** `fix`, or `rewrite[3].ask` for a step of an item. */
  path: string;
  kind: string;
  title: string;
  state: 'running' | 'succeeded' | 'failed' | 'skipped';
  startedAtMs: number;
  durationMs?: number;
  /** How many items an `each` step has. */
  items?: number;
  /** The result in a few words. */
  note?: string;
  usage?: Usage;
  /** Where its outputs and its conversation are kept. */
  artifacts?: Record<string, ArtifactRef>;
  /** The workflow of an agent step, which knows its conversation while it goes on. */
  workflowId?: string;
  /** The states that its sandbox reached, and when. */
  states?: StateReached[];
}

/** A run's change, as it is shown. */
export interface ChangeSummary {
  number: number;
  url: string;
  branch: string;
  commit: string;
  files: number;
  /** No check decided on it. */
  unchecked?: true;
}

/** How a run ended. */
export interface RunEnd {
  outcome: Outcome;
  /** Set if something went wrong. */
  code?: ErrorCode;
  reason: string;
  /** The step that decided it. */
  step?: string;
}

/** The whole state of a run, as the query `state` returns it. */
export interface RunState {
  runId: string;
  blueprint: { name: string; title: string; sha256: string };
  repository: { forge: string; name: string; branch: string; commit: string };
  requester: string;
  model: string;
  phase: Phase;
  /** Increases with every change of the state, so that a follower can tell whether it has seen it. */
  revision: number;
  startedAtMs: number;
  endedAtMs?: number;
  steps: StepRow[];
  /** How many rows of items are left out of `steps`. The evidence has them all. */
  omittedSteps?: number;
  usage: Usage;
  /** The open questions. Several may be open, since items of an `each` may run at the same time. */
  questions: Question[];
  change?: ChangeSummary;
  evidence?: ArtifactRef;
  end?: RunEnd;
  /** What failed and is tried again. The client adds it, because the run itself doesn't know. */
  retries?: Retry[];
}

/** Work that failed and is tried again, such as a question to a model's server that is away. */
export interface Retry {
  /** The name of the activity, such as `askPrompt`. */
  activity: string;
  /** How often it failed so far. */
  tries: number;
  /** Why, at the last try. Untrusted. */
  message: string;
  /** When the next try begins. Missing while one goes on. */
  nextTryAtMs?: number;
}

/** What a person is asked. */
export interface Question {
  /** The name of the question in messages: the path of its step; `jig:paused` or `jig:stale` if no step asks it. */
  id: string;
  kind: 'approval' | 'paused' | 'stale';
  question: string;
  /** Who may answer; anybody if it is empty. */
  who: string[];
  deadlineMs: number;
  /** The steps that the work can be sent back to, the default first. Empty if it can't be sent back. */
  sendBackTo: string[];
}

const By = z.string().min(1).max(200);
/** The path of the step that the message is for. Without it, the message reaches every step that can take it. */
const ForStep = z.string().min(1).max(500).optional();

/** Who decides, and what they say: the argument of every update except `sendBack` and `steer`. */
export const Decision = z.strictObject({ by: By, comment: z.string().max(10_000).optional(), step: ForStep });
export type Decision = z.infer<typeof Decision>;

/** The argument of `sendBack`. */
export const SendBack = z.strictObject({
  by: By,
  comment: z.string().min(1).max(10_000),
  step: ForStep,
  /** The id of the step that the work goes back to; the question's default if missing. */
  to: z.string().min(1).max(200).optional(),
});
export type SendBack = z.infer<typeof SendBack>;

/** The argument of `steer`: words for agents at work. */
export const Steer = z.strictObject({ by: By, text: z.string().min(1).max(10_000), step: ForStep });
export type Steer = z.infer<typeof Steer>;

/** Names of the updates (each checked by a synchronous validator) and of the query. */
export const messageNames = {
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel',
  approve: 'approve',
  reject: 'reject',
  sendBack: 'sendBack',
  steer: 'steer',
  state: 'state',
} as const;

/** The query for a conversation that goes on: of an agent, to its own workflow; of a prompt, to the run, by its path. */
export const conversationQuery = 'conversation';

/** A conversation so far, and what the model is told next. */
export interface Conversation {
  transcript?: ArtifactRef;
  say: Message[];
}

/** Search attributes, by their Temporal types. */
export const searchAttributes = {
  JigBlueprint: 'KEYWORD',
  JigRepository: 'KEYWORD',
  JigOutcome: 'KEYWORD',
  JigPhase: 'KEYWORD',
  JigCampaign: 'KEYWORD',
  JigRequester: 'KEYWORD',
  JigNeedsHuman: 'BOOL',
  JigCostUsd: 'DOUBLE',
  JigTokens: 'INT',
} as const;

/** One queue for each kind of work, so that each can be scaled and limited separately. */
export const taskQueues = {
  runs: 'jig-runs',
  sandbox: 'jig-sandbox',
  model: 'jig-model',
  forge: 'jig-forge',
} as const;
export type TaskQueue = keyof typeof taskQueues;

export const runWorkflowType = 'run';
