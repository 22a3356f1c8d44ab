/**
 * The activities' contract. Every activity may be repeated: before it does anything, it looks for what was already done.
 */
import type { AnswerSummary } from '../agent/loop.ts';
import type { NamedBlueprint } from '../blueprints/steps.ts';
import { z } from 'zod';
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { JsonSchema } from '../blueprints/kinds/prompt.ts';
import { ArtifactRef } from '../artifacts/contract.ts';
import type { CheckResult } from '../evidence/gate.ts';
import type { Check } from '../forge/contract.ts';
import type { CheckoutHistory, ExportedCommit, ExportPolicy } from '../git/contract.ts';
import type { Message, Usage } from '../model/contract.ts';
import type { CommandEnding, SandboxRef, SandboxResources, StateReached } from '../sandbox/contract.ts';
import type { RunDefaults } from '../base/defaults.ts';
import type { Json } from '../base/json.ts';
import type { RunRequest } from '../workflows/messages.ts';
import type { AppliedEdit, ApplyEdit, UndoEdit } from './edit-contract.ts';

/** The worker's settings, which a run keeps to its end. */
export interface RunSettings {
  heartbeatTimeoutMs: number;
  /** After a longer wait, a run checks whether its base has moved. */
  staleAfterMs: number;
  /** How long a stopped run waits for a human. */
  humanWaitMs: number;
  /** A run that waits longer for a person or for CI lets its sandbox go. */
  releaseAfterMs: number;
  /** The largest workspace that is copied. */
  copyMaxBytes: number;
  /** The most bytes of ignored files in a copy. */
  copyIgnoredMaxBytes: number;
  setupTimeoutMs: number;
  /** For a command of a check, of `verify` or of `autofix`, if the step has no timeout of its own. */
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
  /** The history length at which a run continues as new. 0 means: when the server suggests it. */
  continueAfterEvents: number;
  /** The defaults for what a blueprint leaves out. */
  defaults: RunDefaults;
}

/** What a run knows once it is open: the checked blueprint, the commit to start from, and its settings. */
export interface OpenedRun {
  blueprint: NamedBlueprint;
  /** The folder in which sandboxes find the blueprint's other files, and those files. Older histories lack it. */
  blueprintFolder?: { path: string; files?: ArtifactRef };
  inputs: Record<string, Json>;
  repository: { forge: string; name: string; cloneUrl: string; branch: string; commit: string };
  model: { name: string; source: 'live' | 'recorded' | 'scripted'; priced?: boolean; refuseUnpriced?: boolean };
  settings: RunSettings;
}

/** A text on its way through Temporal: a part of it, and a reference to all of it. */
export interface CapturedText {
  /** At most 8 KB: the whole text, or its beginning and its end. */
  text: string;
  cut: boolean;
  /** Bytes that the command wrote, kept or not. */
  sizeBytes: number;
  artifact?: ArtifactRef;
}

/** What a workflow learns about a command that has ended. */
export interface CommandReport {
  ending: CommandEnding;
  exitCode: number;
  startedAtMs: number;
  durationMs: number;
  stdout: CapturedText;
  stderr: CapturedText;
  /** The latest targets that the sandbox was refused, such as `example.org:443`, if the command failed. Untrusted. */
  refused?: string[];
  /** Standard output, read as `parse` says. */
  value?: Json;
  /** Whether the output holds the text that was asked for. */
  saysSo?: boolean;
  check: CheckResult;
}

export interface PrepareSandbox {
  id: string;
  /** The id of the workflow that owns the sandbox. The sweeper asks whether it still runs. */
  owner: string;
  repository: OpenedRun['repository'];
  /** The commit to check out: one of the repository, or one that the quarantine holds. */
  commit: string;
  /** What history the checkout has; that of the base if missing. */
  history?: CheckoutHistory;
  image?: string;
  resources: SandboxResources;
  egress: string[];
  env: Record<string, string>;
  /** The blueprint's other files, as a list. */
  blueprintFiles?: ArtifactRef;
}

export interface PreparedSandbox extends SandboxRef {
  /** From `created` to `checked-out`. Older histories lack it. */
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
  /** Set for a command that decides: more is learned about how it failed. */
  check?: {
    /** Globs of the reports that its test runner writes. */
    counts?: string[];
    /** A text that its output should hold. */
    says?: string;
  };
  /**
   * Set if the new files that it makes stay out of the change; with a base commit, so do changes that it makes to files
   * of that commit.
   */
  keepOut?: { base?: string };
}

export interface ExportCommit {
  sandbox: SandboxRef;
  key: string;
  repository: OpenedRun['repository'];
  /** What the sandbox started from. */
  base: string;
  /** The parent of the new commit; `base` if nothing was pushed yet. */
  parent: string;
  policy: ExportPolicy;
  /** Globs of new files that are in the change although .gitignore names them, or setup or a check made them. */
  include?: string[];
  /** The policy's allowed paths apply to what changed since this commit. If missing, they apply to the whole change. */
  since?: string;
  message: string;
  author: { name: string; email: string };
  dateMs: number;
}

export interface CopySandbox {
  sandbox: SandboxRef;
  key: string;
  /** The commit that the sandbox started from. Its files are kept even if .gitignore names them. */
  base: string;
  /** The most bytes of ignored files. If there are more, they are left out. */
  ignoredMaxBytes: number;
  /** The most bytes of the whole workspace, and of the archive. If there are more, there is no archive. */
  maxBytes: number;
}

/** An exact copy of a workspace, or why there is none. */
export const SandboxCopy = z.strictObject({
  archive: ArtifactRef.optional(),
  /** Bytes that the copy holds, or would hold, before compression; 0 if unknown. */
  sizeBytes: z.number().int().nonnegative(),
  ignored: z.enum(['kept', 'left-out']),
  /** Why there is no archive. Parts of it are untrusted. */
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
  /** Earlier answers that didn't fit, each with what the model is told about it. */
  earlier: { answer: ArtifactRef; error: string }[];
}

/** The value of an answer, or what the model is told because its text wasn't usable. Older ones lack `transcript`. */
export interface PromptAnswer {
  value?: Json;
  unusable?: string;
  answer: ArtifactRef;
  transcript?: TranscriptRef;
  usage: Usage;
  model: string;
}

/** A reference to a conversation: a list of references to messages, which is itself an artifact. */
export type TranscriptRef = ArtifactRef;

export interface AskAgent {
  key: string;
  /** From 1. It is also part of the key. */
  turn: number;
  transcript?: TranscriptRef;
  /**
   * What is said before the model answers: the system prompt and the task at the start, later feedback and people's
   * words.
   */
  say: Exclude<Message, { role: 'assistant' }>[];
  tools: AgentTool[];
  model?: string;
}

/** The summary of an answer. Its texts stay in the transcript. */
export interface AgentAnswer extends AnswerSummary {
  transcript: TranscriptRef;
  /** `brief` is for the timeline: the tool and its target. */
  calls: (AnswerSummary['calls'][number] & { name: string; brief: string })[];
  usage: Usage;
  model: string;
  /** How many messages were left out to fit the model's context. */
  compacted: number;
}

export interface CallTool {
  sandbox: SandboxRef;
  key: string;
  transcript: TranscriptRef;
  callId: string;
  tools: AgentTool[];
  allowPaths?: string[];
  /** The checks of the step, as shell commands: new files that they make stay out of the change. */
  checks?: string[];
  env: Record<string, string>;
  timeoutMs: number;
  /** The most characters that the tool shows the model. */
  outputMaxCharacters: number;
  /** A note after the result, for example that the same call was made before. */
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

/** How the checks of a commit ended. */
export interface CiOutcome {
  state: 'passed' | 'failed' | 'none' | 'timeout';
  checks: Check[];
  /** The logs of the failed checks, at most 8 KB. Untrusted. */
  excerpt: string;
}

/** Activities that open a run, and keep and load its values. */
export interface RunActivities {
  openRun(request: RunRequest): Promise<OpenedRun>;
  /** Keeps a JSON value that is too large for the history. */
  keepValue(request: { value: Json }): Promise<ArtifactRef>;
  loadValue(ref: ArtifactRef): Promise<Json>;
  /** Makes one artifact of a JSON text that was kept in pieces. */
  joinPages(request: { pages: ArtifactRef[] }): Promise<ArtifactRef>;
}

/** Activities that run commands in sandboxes. */
export interface SandboxActivities {
  prepareSandbox(request: PrepareSandbox): Promise<PreparedSandbox>;
  runCommand(request: RunCommand): Promise<CommandReport>;
  applyEdit(request: ApplyEdit): Promise<AppliedEdit>;
  /**
   * Undoes an edit. It restores the file, or, if the file was changed since, puts the old text in the place of the new
   * one.
   */
  undoEdit(request: UndoEdit): Promise<void>;
  callTool(request: CallTool): Promise<CalledTool>;
  exportCommit(request: ExportCommit): Promise<ExportedCommit>;
  copySandbox(request: CopySandbox): Promise<SandboxCopy>;
  /** Makes the workspace equal to the copy. If the copy lacks ignored files, those that setup made stay. */
  restoreSandbox(request: RestoreSandbox): Promise<void>;
  removeSandbox(request: { id: string }): Promise<void>;
}

/** Activities that ask a model. */
export interface ModelActivities {
  askPrompt(request: AskPrompt): Promise<PromptAnswer>;
  askAgent(request: AskAgent): Promise<AgentAnswer>;
}

/** Activities that use a code host. */
export interface ForgeActivities {
  /**
   * Pushes one branch and returns its name; a name that is taken gets a suffix. Never overwrites other people's
   * commits.
   */
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
