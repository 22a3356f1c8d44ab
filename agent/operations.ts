/** The operations that the tools need. They hide where the work happens. */

/** The result of a command that a tool ran. */
export interface CommandOutput {
  exitCode: number;
  /** `exited`, or what ended the command: `deadline`, `out-of-memory`, … */
  ending: string;
  stdout: string;
  stderr: string;
  /** Bytes of the output that were not kept. */
  droppedBytes: number;
}

/** What the tools can do in the workspace. */
export interface ToolOperations {
  /** The absolute path of the workspace, so that a model may use absolute paths. */
  readonly workspaceDir?: string;
  /** What edit and write may change; undefined means everything. The globs are for the model to read. */
  readonly writable: { globs: readonly string[]; matches: (path: string) => boolean } | undefined;
  /**
   * Reads a file; undefined if there is none. If it is larger than `maxBytes`, its `text` is undefined; if it isn't
   * UTF-8, `text` holds replacement characters.
   */
  readFile(
    path: string,
    maxBytes: number,
  ): Promise<{ text: string | undefined; sizeBytes: number; isUtf8: boolean } | undefined>;
  /** Writes a file, and makes the folders that it needs. */
  writeFile(path: string, text: string): Promise<void>;
  /** Runs one program in the workspace, without a shell. */
  runCommand(argv: string[], timeoutMs: number): Promise<CommandOutput>;
}

/** What a call returns to the model. `ok` is false after a mistake of the model. */
export interface ToolResult {
  text: string;
  ok: boolean;
}
