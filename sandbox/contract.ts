/**
 * What Jig asks of a place where commands execute.
 *
 * The contract is small on purpose: a sandbox is made, runs commands, and goes away. Everything else (files, checkouts,
 * bundles) is a command with standard input and captured output, so that no trusted code ever opens a path in a tree
 * that an agent touched. `sandbox/files.ts` builds reading and writing of files on `run`.
 */
import { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import type { BlueprintFile } from '../blueprints/folder.ts';

export interface SandboxSpec {
  /** Stable and unique: made from the run's id. `ensureSandbox` with the same id finds the same sandbox. */
  id: string;
  /** Whom it belongs to, such as a workflow's id: the sweeper asks whether that still lives. */
  owner?: string;
  image?: string;
  resources: SandboxResources;
  /** What may be reached: hosts (`pypi.org`, `*.example.com`) and presets (`pypi`), which the provider expands; empty: no network. */
  egress: string[];
  /** Environment of every command. Never secrets. */
  env: Record<string, string>;
  /** How long it lives where nobody renews it and no owner that runs is known. */
  leaseMs: number;
  /**
   * What lies beside `blueprint.yaml`, laid when the sandbox is made: outside of the workspace, for reading only, at the
   * provider's `blueprintPath`. Every command finds the folder by `JIG_BLUEPRINT`; it is empty where nothing is given.
   */
  blueprint?: readonly BlueprintFile[];
}

export interface SandboxResources {
  cpu: number;
  memoryBytes: number;
  diskBytes: number;
  processes: number;
}

/** Identifies one incarnation: a sandbox re-created under the same id has another `incarnation`, and is LOST to its run. */
export const SandboxRef = z.strictObject({ provider: z.string(), id: z.string(), incarnation: z.string() });
export type SandboxRef = z.infer<typeof SandboxRef>;

export interface CommandSpec {
  /** Unique within the sandbox; a command is launched once for a key, however often `run` is called. */
  key: string;
  argv: string[];
  /** Relative to the workspace; the workspace itself where missing. */
  cwd?: string;
  env?: Record<string, string>;
  /** A file on the trusted side that becomes standard input, or its bytes; empty input where missing. */
  stdin?: { path: string } | Uint8Array;
  timeoutMs: number;
  /** Bytes kept of each output stream; the rest is counted and dropped. */
  outputCapBytes: number;
}

/** Why a command ended other than by itself. */
export const commandEndings = [
  'exited',
  'deadline',
  'cancelled',
  'out-of-memory',
  'too-many-processes',
  'disk-full',
] as const;
export type CommandEnding = (typeof commandEndings)[number];

export interface CapturedStream {
  /** File on the trusted side with the bytes that were kept; valid until the sandbox is destroyed. */
  path: string;
  keptBytes: number;
  /** Bytes beyond the cap, counted and dropped; 0: the file is the whole output. */
  droppedBytes: number;
}

export interface CommandResult {
  ending: CommandEnding;
  /** The exact exit code; 128 + signal where a signal ended it. A command that Jig ended has 137. */
  exitCode: number;
  startedAt: string;
  durationMs: number;
  stdout: CapturedStream;
  stderr: CapturedStream;
}

export interface RunOptions {
  /** Called with new output as it comes; best effort, never the record. */
  onOutput?: (chunk: { stream: 'stdout' | 'stderr'; bytes: Uint8Array }) => void;
  /** Aborting detaches the caller and leaves the command running, unless `reason` is {@link CommandCancelled}. */
  signal?: AbortSignal;
}

/** The abort reason that also kills the command; any other reason (a worker that shuts down) only detaches. */
export class CommandCancelled extends Error {
  override name = 'CommandCancelled';
}

/** A connection that the sandbox was refused, kept for the run's evidence. Its texts are untrusted. */
export const EgressRefusal = z.strictObject({ at: z.string(), host: z.string(), port: z.number(), reason: z.string() });
export type EgressRefusal = z.infer<typeof EgressRefusal>;

export interface Sandbox {
  readonly ref: SandboxRef;
  /**
   * Runs a command to its end. Repeatable by `spec.key`: a second call, from this process or another, takes up the
   * running or finished command where it is. When it returns, every process that the command started is dead.
   * @throws SandboxLost where the sandbox, or the command's record, is gone.
   */
  run(spec: CommandSpec, options?: RunOptions): Promise<CommandResult>;
  /** The connections that were refused so far, each kind once, oldest first. */
  listRefusals(): Promise<EgressRefusal[]>;
}

export interface ReadySandbox extends Sandbox {
  /** From `created` to `ready`, without those that this kind of sandbox doesn't go through. */
  readonly states: StateReached[];
}

/** How far a sandbox has come. Each says only itself: one that has started may never become ready. */
export const sandboxStates = ['created', 'scheduled', 'started', 'ready', 'checked-out'] as const;

/** `at` is ISO 8601, by the clock of who knows it: the cluster up to `started`, the worker from `ready` on. */
export const StateReached = z.strictObject({ state: z.enum(sandboxStates), at: z.string() });
export type StateReached = z.infer<typeof StateReached>;

interface SandboxCapabilities {
  /** What keeps commands from the machine. */
  isolation: 'namespaces' | 'pod' | 'none';
  /** Whether `egress` is enforced. */
  egress: boolean;
  /** Which of the limits are enforced. */
  limits: { memory: boolean; processes: boolean; disk: boolean };
  /** Whether the sandbox exists only on the worker's own machine. */
  hostBound: boolean;
}

/** Something that is missing before a sandbox can be made, and what to do about it. */
export interface HostIssue {
  code: ErrorCode;
  message: string;
  hint: string;
}

export interface ListedSandbox {
  id: string;
  owner?: string;
  /** Both ISO 8601. */
  createdAt: string;
  leasedUntil: string;
}

export interface SandboxProvider {
  readonly name: string;
  readonly capabilities: SandboxCapabilities;
  /** The folder of the blueprint's files, the same in every sandbox: absolute, or from the workspace, where commands start. */
  readonly blueprintPath: string;
  /** What is missing before a sandbox can be made, each with what to do about it; empty: ready. */
  checkHost(): Promise<HostIssue[]>;
  /** Makes the sandbox or finds it, and waits until commands run in it; repeatable. @throws SandboxRefused where isolation isn't possible, SandboxUnavailable where it can't be had. */
  ensureSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<ReadySandbox>;
  /** @throws SandboxLost where it is gone or is another incarnation. */
  getSandbox(ref: SandboxRef): Promise<Sandbox>;
  /** Kills what runs and removes everything; repeatable, and quiet where there is nothing. */
  destroySandbox(id: string): Promise<void>;
  /** Lets the sandbox live for `leaseMs` from now; repeatable. @returns false where there is none. */
  renewSandbox(id: string, leaseMs: number): Promise<boolean>;
  /** All the sandboxes that exist, for the sweeper. */
  listSandboxes(): Promise<ListedSandbox[]>;
}
