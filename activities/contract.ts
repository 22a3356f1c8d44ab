/**
 * What workflows ask of the world, as types: a family an interface, a family a task queue.
 * Every activity may be repeated: its effects are found by key before they are made.
 */
import type { AnswerSummary } from '../agent/loop.ts';
import type { NamedBlueprint } from '../blueprints/steps.ts';
import { z } from 'zod';
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { JsonSchema } from '../blueprints/kinds/prompt.ts';
import { ArtifactRef } from '../artifacts/contract.ts';
import type { CheckRun } from '../evidence/gate.ts';
import type { Check } from '../forge/contract.ts';
import type { ExportedCommit, ExportPolicy } from '../git/contract.ts';
import type { Message, Usage } from '../model/contract.ts';
import type { CommandEnding, SandboxRef, SandboxResources, StateReached } from '../sandbox/contract.ts';
import type { RunDefaults } from '../base/defaults.ts';
import type { Json } from '../base/json.ts';
import type { RunRequest } from '../workflows/messages.ts';

/** Settings of the worker that a run keeps to its end. */
export interface RunSettings {
  heartbeatTimeoutMs: number;
  /** A run that comes back after a longer wait looks whether its base has moved. */
  staleAfterMs: number;
  /** How long a stopped run waits for a human. */
  humanWaitMs: number;
  /** A run that waits longer for a person or for CI lets its sandbox go. */
  releaseAfterMs: number;
  /** Of a workspace that is copied. */
  copyMaxBytes: number;
  /** Of the ignored files in such a copy. */
  copyIgnoredMaxBytes: number;
  setupTimeoutMs: number;
  /** Of a command of a check, of `verify` and of `autofix`, where the step has no timeout of its own. */
  checkTimeoutMs: number;
  agentCommandTimeoutMs: number;
  /** How long a model may take for one answer. */
  answerTimeoutMs: number;
  toolOutputMaxCharacters: number;
  unusableAnswers: number;
  protectedPaths: string[];
  maxChangedFiles: number;
  maxChangedBytes: number;
  author: { name: string; email: string };
  /** History length at which a run continues as new; 0: when the server suggests it. */
  continueAfterEvents: number;
  /** What holds where a blueprint says nothing. */
  defaults: RunDefaults;
}

export interface OpenedRun {
  blueprint: NamedBlueprint;
  /** Where sandboxes have what lies beside `blueprint.yaml`, and what that is. Histories of before there were folders lack it. */
  blueprintFolder?: { path: string; files?: ArtifactRef };
  inputs: Record<string, Json>;
  repository: { forge: string; name: string; cloneUrl: string; branch: string; commit: string };
  model: { name: string; source: 'live' | 'recorded' | 'scripted'; priced?: boolean; refuseUnpriced?: boolean };
  settings: RunSettings;
}

export interface CapturedText {
  /** At most 8 KB: all of it, or its first and last part. */
  text: string;
  cut: boolean;
  /** Bytes that the command wrote, kept or not. */
  sizeBytes: number;
  artifact?: ArtifactRef;
}

export interface CommandReport {
  ending: CommandEnding;
  exitCode: number;
  startedAtMs: number;
  durationMs: number;
  stdout: CapturedText;
  stderr: CapturedText;
  /** `example.org:443`: what the sandbox was refused so far, where the command failed; untrusted, a few. */
  refused?: string[];
  /** Standard output as `parse` asked. */
  value?: Json;
  check: CheckRun;
}

export interface PrepareSandbox {
  id: string;
  /** The workflow that the sandbox belongs to; the sweeper asks after it. */
  owner: string;
  repository: OpenedRun['repository'];
  /** What is checked out: a commit of the repository, or one that the quarantine holds. */
  commit: string;
  image?: string;
  resources: SandboxResources;
  egress: string[];
  env: Record<string, string>;
  /** What lies beside `blueprint.yaml`: a list of files. */
  blueprintFiles?: ArtifactRef;
}

export interface PreparedSandbox extends SandboxRef {
  /** From `created` to `checked-out`. Histories of before this was told lack it. */
  states?: StateReached[];
}

export interface RunCommand {
  sandbox: SandboxRef;
  key: string;
  argv: string[];
  env: Record<string, string>;
  timeoutMs: number;
  parse?: 'json' | 'lines';
  /** The command as its author wrote it, for evidence. */
  shown: string;
}

export interface ApplyEdit {
  sandbox: SandboxRef;
  key: string;
  path: string;
  old: string;
  new: string;
  line?: number;
  all: boolean;
  /** Keep the file as it was, so that the edit can be taken back. */
  keepBefore: boolean;
}

export interface AppliedEdit {
  replacements: number;
  kept?: { before: ArtifactRef; afterSha256: string };
}

/** An edit that was made, and what it takes to take it back. */
export interface UndoEdit {
  sandbox: SandboxRef;
  key: string;
  path: string;
  old: string;
  new: string;
  line?: number;
  all: boolean;
  before: ArtifactRef;
  afterSha256: string;
}

export interface ExportCommit {
  sandbox: SandboxRef;
  key: string;
  repository: OpenedRun['repository'];
  /** What the sandbox started from. */
  base: string;
  /** What the new commit stands on; `base` where nothing was pushed yet. */
  parent: string;
  policy: ExportPolicy;
  /** Where the policy's allowed paths are held against less than the whole change: what came since this commit. */
  since?: string;
  message: string;
  author: { name: string; email: string };
  dateMs: number;
}

export interface CopySandbox {
  sandbox: SandboxRef;
  key: string;
  /** What the sandbox started from: its files are kept, though .gitignore may name them. */
  base: string;
  /** Of the ignored files together; where they have more, they are left out. */
  ignoredMaxBytes: number;
  /** Of the whole workspace, and of the archive; where it has more, there is no archive. */
  maxBytes: number;
}

/** An exact copy of a workspace, or why there is none. */
export const SandboxCopy = z.strictObject({
  archive: ArtifactRef.optional(),
  /** Of what the copy holds, or would hold, before it is compressed; 0 where it is unknown. */
  sizeBytes: z.number().int().nonnegative(),
  ignored: z.enum(['kept', 'left-out']),
  /** Why there is no archive; in parts untrusted. */
  reason: z.string().optional(),
});
export type SandboxCopy = z.infer<typeof SandboxCopy>;

export interface RestoreSandbox {
  /** Freshly checked out and set up. */
  sandbox: SandboxRef;
  key: string;
  copy: SandboxCopy;
}

export interface AskPrompt {
  key: string;
  text: string;
  system?: string;
  model?: string;
  answer: JsonSchema;
  /** Answers that didn't fit, with what the model is told of each. */
  earlier: { answer: ArtifactRef; error: string }[];
}

/** An answer, or what the model is told because its text wasn't one. */
export interface PromptAnswer {
  value?: Json;
  unusable?: string;
  answer: ArtifactRef;
  usage: Usage;
  model: string;
}

/** A conversation by reference: a list of messages' references, itself an artifact. */
export type TranscriptRef = ArtifactRef;

export interface AskAgent {
  key: string;
  /** From 1; part of the key too. */
  turn: number;
  transcript?: TranscriptRef;
  /** What is said to the model first: the system's text and the task at the start, later feedback and a person's words. */
  say: Exclude<Message, { role: 'assistant' }>[];
  tools: AgentTool[];
  model?: string;
}

/** An answer, with the texts left in the transcript. */
export interface AgentAnswer extends AnswerSummary {
  transcript: TranscriptRef;
  /** `brief` is for the timeline: the tool and what it is used on. */
  calls: (AnswerSummary['calls'][number] & { name: string; brief: string })[];
  usage: Usage;
  model: string;
  /** Messages that were left out to fit the model's context. */
  compacted: number;
}

export interface CallTool {
  sandbox: SandboxRef;
  key: string;
  transcript: TranscriptRef;
  callId: string;
  tools: AgentTool[];
  allowPaths?: string[];
  env: Record<string, string>;
  timeoutMs: number;
  /** Of what the tool shows the model. */
  outputMaxCharacters: number;
  /** Said after the result, such as that the same call was made before. */
  note?: string;
}

export interface CalledTool {
  transcript: TranscriptRef;
}

interface EnsureChange {
  repository: OpenedRun['repository'];
  branch: string;
  marker: string;
  title: string;
  body: string;
  draft: boolean;
  labels: string[];
}

export interface CiOutcome {
  state: 'passed' | 'failed' | 'none' | 'timeout';
  checks: Check[];
  /** The failed checks' logs, at most 8 KB; untrusted. */
  excerpt: string;
}

export interface RunActivities {
  openRun(request: RunRequest): Promise<OpenedRun>;
  /** Keeps a JSON value that is too large for the history. */
  keepValue(request: { value: Json }): Promise<ArtifactRef>;
  loadValue(ref: ArtifactRef): Promise<Json>;
  /** Makes one artifact of a JSON text that was kept in pieces. */
  joinPages(request: { pages: ArtifactRef[] }): Promise<ArtifactRef>;
}

export interface SandboxActivities {
  prepareSandbox(request: PrepareSandbox): Promise<PreparedSandbox>;
  runCommand(request: RunCommand): Promise<CommandReport>;
  applyEdit(request: ApplyEdit): Promise<AppliedEdit>;
  /** Takes an edit back: the file as it was, or, where it was changed since, the old text in the place of the new. */
  undoEdit(request: UndoEdit): Promise<void>;
  callTool(request: CallTool): Promise<CalledTool>;
  exportCommit(request: ExportCommit): Promise<ExportedCommit>;
  copySandbox(request: CopySandbox): Promise<SandboxCopy>;
  /** Makes the workspace equal to the copy. Where that lacks ignored files, those that setup made in their place stay. */
  restoreSandbox(request: RestoreSandbox): Promise<void>;
  removeSandbox(request: { id: string }): Promise<void>;
}

export interface ModelActivities {
  askPrompt(request: AskPrompt): Promise<PromptAnswer>;
  askAgent(request: AskAgent): Promise<AgentAnswer>;
}

export interface ForgeActivities {
  /** Pushes one branch, never over foreign commits; returns the branch's name (a taken one gets a suffix). */
  pushBranch(request: {
    repository: OpenedRun['repository'];
    commit: string;
    branch: string;
    expected?: string;
  }): Promise<{ branch: string }>;
  ensureChange(request: EnsureChange): Promise<{ number: number; url: string }>;
  awaitChecks(request: { repository: OpenedRun['repository']; commit: string; waitMs: number }): Promise<CiOutcome>;
  comment(request: {
    repository: OpenedRun['repository'];
    number: number;
    marker: string;
    body: string;
  }): Promise<void>;
  checkFreshness(request: {
    repository: OpenedRun['repository'];
    head?: { branch: string; commit: string };
  }): Promise<{ baseMoved: boolean; branchForeign: boolean }>;
}

export interface Activities extends RunActivities, SandboxActivities, ModelActivities, ForgeActivities {}
