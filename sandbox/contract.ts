/**
 * The contract of a place where commands run.
 *
 * It is small on purpose: a sandbox is made, runs commands, and goes away. Everything else (files, checkouts, bundles)
 * is a command with standard input and captured output, so no trusted code ever opens a path in a tree that an agent
 * touched. `sandbox/files.ts` builds reading and writing of files on `run`.
 */
import { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import type { BlueprintFile } from '../blueprints/folder.ts';

/** What a sandbox should be. */
export interface SandboxSpec {
  /** Stable and unique, made from the run's id. `ensureSandbox` with the same id finds the same sandbox. */
  id: string;
  /** The owner, such as a workflow's id. The sweeper asks whether the owner still runs. */
  owner?: string;
  image?: string;
  resources: SandboxResources;
  /**
   * The hosts that may be reached: names (`pypi.org`, `*.example.com`) and presets (`pypi`), which the provider
   * expands. Empty means no network.
   */
  egress: string[];
  /** Environment of every command. Never secrets. */
  env: Record<string, string>;
  /** How long it lives if nobody renews it and no running owner is known. */
  leaseMs: number;
  /**
   * The blueprint's other files. They are put at the provider's `blueprintPath` when the sandbox is made: outside of
   * the workspace, read-only. Every command finds the folder in `JIG_BLUEPRINT`; it is empty if there are no files.
   */
  blueprint?: readonly BlueprintFile[];
}

/** The limits of a sandbox. */
export interface SandboxResources {
  cpu: number;
  memoryBytes: number;
  diskBytes: number;
  processes: number;
}

/**
 * Identifies one incarnation. A sandbox that is made again under the same id has another `incarnation`, and is lost to
 * its run.
 */
export const SandboxRef = z.strictObject({ provider: z.string(), id: z.string(), incarnation: z.string() });
export type SandboxRef = z.infer<typeof SandboxRef>;

/** A command to run. */
export interface CommandSpec {
  /** Unique within the sandbox. A command is launched once for each key, however often `run` is called. */
  key: string;
  argv: string[];
  /** Relative to the workspace; the workspace itself if missing. */
  cwd?: string;
  env?: Record<string, string>;
  /** A file on the trusted side that becomes standard input, or its bytes. Input is empty if missing. */
  stdin?: { path: string } | Uint8Array;
  timeoutMs: number;
  /** Bytes kept of each output stream. The rest is counted and dropped. */
  outputCapBytes: number;
}

/** How a command ended: by itself (`exited`), or why it was ended. */
export const commandEndings = [
  'exited',
  'deadline',
  'cancelled',
  'out-of-memory',
  'too-many-processes',
  'disk-full',
] as const;
export type CommandEnding = (typeof commandEndings)[number];

/** What was kept of an output stream. */
export interface CapturedStream {
  /** A file on the trusted side with the kept bytes. Valid until the sandbox is destroyed. */
  path: string;
  keptBytes: number;
  /** Bytes beyond the cap, which were dropped. 0 means that the file is the whole output. */
  droppedBytes: number;
}

/** How a command ended. */
export interface CommandResult {
  ending: CommandEnding;
  /** The exact exit code, or 128 + the signal that ended the command. 137 if Jig ended it. */
  exitCode: number;
  startedAt: string;
  durationMs: number;
  stdout: CapturedStream;
  stderr: CapturedStream;
}

/** How to follow a command. */
export interface RunOptions {
  /** Called with new output as it comes. Best effort: the record is in the result. */
  onOutput?: (chunk: { stream: 'stdout' | 'stderr'; bytes: Uint8Array }) => void;
  /** Aborting detaches the caller and leaves the command running, unless the reason is {@link CommandCancelled}. */
  signal?: AbortSignal;
}

/** The abort reason that also kills the command. Any other reason, such as a worker that shuts down, only detaches. */
export class CommandCancelled extends Error {
  override name = 'CommandCancelled';
}

/** A connection that the sandbox was refused, kept for the run's evidence. Its texts are untrusted. */
export const EgressRefusal = z.strictObject({ at: z.string(), host: z.string(), port: z.number(), reason: z.string() });
export type EgressRefusal = z.infer<typeof EgressRefusal>;

/** A sandbox in which commands can run. */
export interface Sandbox {
  readonly ref: SandboxRef;
  /**
   * Runs a command to its end. Repeatable by `spec.key`: a second call, from this process or another, takes over the
   * running or finished command. When it returns, every process that the command started is dead.
   * @throws SandboxLost if the sandbox, or the command's record, is gone.
   */
  run(spec: CommandSpec, options?: RunOptions): Promise<CommandResult>;
  /** The connections that were refused so far, oldest first. Equal ones are listed once. */
  listRefusals(): Promise<EgressRefusal[]>;
}

/** A sandbox that has become ready. */
export interface ReadySandbox extends Sandbox {
  /** From `created` to `ready`, without states that this kind of sandbox doesn't have. */
  readonly states: StateReached[];
}

/** The states of a sandbox. Each says only what has happened: one that has started may never become ready. */
export const sandboxStates = ['created', 'scheduled', 'started', 'ready', 'checked-out'] as const;

/**
 * A state and when it was reached. `at` is ISO 8601, by the cluster's clock up to `started` and by the worker's from
 * `ready` on.
 */
export const StateReached = z.strictObject({ state: z.enum(sandboxStates), at: z.string() });
export type StateReached = z.infer<typeof StateReached>;

interface SandboxCapabilities {
  /** What isolates commands from the machine. */
  isolation: 'namespaces' | 'pod' | 'none';
  /** Whether `egress` is enforced. */
  egress: boolean;
  /** Which of the limits are enforced. */
  limits: { memory: boolean; processes: boolean; disk: boolean };
  /** Whether the sandbox exists only on the worker's own machine. */
  hostBound: boolean;
}

/** Something that is missing before a sandbox can be made, and how to fix it. */
export interface HostIssue {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** A sandbox in the sweeper's list. */
export interface ListedSandbox {
  id: string;
  owner?: string;
  /** Both ISO 8601. */
  createdAt: string;
  leasedUntil: string;
}

/** Makes, finds and removes sandboxes of one kind. */
export interface SandboxProvider {
  readonly name: string;
  readonly capabilities: SandboxCapabilities;
  /**
   * The folder of the blueprint's files, the same in every sandbox. Absolute, or relative to the workspace, where
   * commands start.
   */
  readonly blueprintPath: string;
  /** What is missing before a sandbox can be made, with how to fix it. Empty means ready. */
  checkHost(): Promise<HostIssue[]>;
  /**
   * Makes the sandbox or finds it, and waits until commands run in it. Repeatable. @throws SandboxRefused if isolation
   * isn't possible, SandboxUnavailable if the sandbox can't be made
   */
  ensureSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<ReadySandbox>;
  /** Finds a sandbox that was made. @throws SandboxLost if it is gone or is another incarnation */
  getSandbox(ref: SandboxRef): Promise<Sandbox>;
  /** Kills everything that runs in the sandbox and removes it. Repeatable; does nothing if there is none. */
  destroySandbox(id: string): Promise<void>;
  /** Lets the sandbox live for `leaseMs` from now. Repeatable. @returns false if there is none */
  renewSandbox(id: string, leaseMs: number): Promise<boolean>;
  /** All sandboxes that exist, for the sweeper. */
  listSandboxes(): Promise<ListedSandbox[]>;
}
