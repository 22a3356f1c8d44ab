/** What the tools need of the place where they work. They know nothing of where it is. */

export interface CommandOutput {
  exitCode: number;
  /** `exited`, or what ended it: `deadline`, `out-of-memory`, … */
  ending: string;
  stdout: string;
  stderr: string;
  /** Bytes of the output that were not kept. */
  droppedBytes: number;
}

export interface ToolOperations {
  /** Absolute path of the workspace, so that a model may name files by it. */
  readonly workspaceDir?: string;
  /** What edit and write may touch; undefined: everything. The globs are for the model to read. */
  readonly writable: { globs: readonly string[]; matches: (path: string) => boolean } | undefined;
  /** The file's text, or undefined where there is none. A file over `maxBytes` has `text` undefined; where it isn't UTF-8, `text` holds replacements. */
  readFile(
    path: string,
    maxBytes: number,
  ): Promise<{ text: string | undefined; sizeBytes: number; isUtf8: boolean } | undefined>;
  /** Makes the folders it needs. */
  writeFile(path: string, text: string): Promise<void>;
  /** Runs one program in the workspace; no shell. */
  runCommand(argv: string[], timeoutMs: number): Promise<CommandOutput>;
}

export interface ToolResult {
  text: string;
  ok: boolean;
}
