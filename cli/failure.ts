/** Renders a failure for a person or a program, and gives its exit code. */
import { errorPages, isErrorCode, JigError, type ErrorCode } from '../base/errors.ts';
import type { InputIssue } from '../blueprints/inputs.ts';
import { defaultDataDir } from '../client/up-record.ts';
import type { Issue } from '../blueprints/issues.ts';
import { exitCodes } from './exit-codes.ts';
import { oneLine, printable, type Paint } from './output.ts';

/** What a person typed can't be done. Nothing was started. */
export class BadInput extends JigError {
  override name = 'BadInput';
  readonly issues: (Issue | InputIssue)[];
  /** The issues as text, if they show more than the message. */
  readonly rendered: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; issues?: (Issue | InputIssue)[]; rendered?: string } = {},
  ) {
    super(code, message, options);
    this.issues = options.issues ?? [];
    this.rendered = options.rendered;
  }
}

/** Codes that mean: what the command line names doesn't exist. */
const badInput: ReadonlySet<ErrorCode> = new Set([
  'run-not-found',
  'blueprint-invalid',
  'blueprint-not-found',
  'blueprint-folder-too-large',
  'file-unreadable',
  'forge-not-found',
  'branch-not-found',
  'repository-unrelated',
  'history-diverged',
  'source-unusable',
  'config-invalid',
  'model-config-invalid',
  'data-folder-unusable',
  'recording-invalid',
  'invalid-message',
  'invalid-request',
  'filter-invalid',
  'key-taken',
  'run-ambiguous',
  'no-such-step',
]);

interface Failure {
  code: ErrorCode;
  message: string;
  /** What to do: from the failure itself, else from its page. */
  hint: string;
  issues?: (Issue | InputIssue)[];
}

function knownFailure(error: unknown): Failure | undefined {
  if (isOfDataFolder(error)) {
    const { message } = error;
    return { code: 'data-folder-unusable', message, hint: errorPages['data-folder-unusable'].fix };
  }
  if (!(error instanceof Error) || !('code' in error) || !isErrorCode(error.code)) return undefined;
  const hint = (error instanceof JigError ? error.hint : undefined) ?? errorPages[error.code].fix;
  const issues = error instanceof BadInput && error.issues.length > 0 ? error.issues : undefined;
  return { code: error.code, message: error.message, hint, ...(issues && { issues }) };
}

/** What a system says of a path that can't be used as it is. */
const unusablePaths = new Set(['EEXIST', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENAMETOOLONG']);

/** Whether the system refused a path in the data folder. */
function isOfDataFolder(error: unknown): error is Error {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return false;
  const isRefused = typeof error.code === 'string' && unusablePaths.has(error.code);
  return isRefused && typeof error.path === 'string' && error.path.startsWith(defaultDataDir(process.env));
}

/** The exit code for a failure: bad input, an internal error, or any other. */
export function failureExitCode(error: unknown): number {
  const known = knownFailure(error);
  if (!known || known.code === 'internal-error') return exitCodes.internal;
  return error instanceof BadInput || badInput.has(known.code) ? exitCodes.badInput : exitCodes.failed;
}

/**
 * Renders `error[code]: message`, what to do, and the page. The stack is shown only for unexpected errors, or if
 * `debug` asks for it.
 */
export function renderFailure(error: unknown, { paint, debug }: { paint: Paint; debug: boolean }): string {
  const known = knownFailure(error);
  const stack = error instanceof Error ? printable(error.stack ?? error.message) : printable(String(error));
  if (!known) return `${paint('red', 'error[internal-error]')}: Jig itself failed; this should not happen\n${stack}`;
  const rows = error instanceof BadInput && error.rendered !== undefined ? [error.rendered.trimEnd(), ''] : [];
  rows.push(`${paint('red', `error[${known.code}]`)}: ${printable(known.message)}`);
  rows.push(`  ${oneLine(known.hint, 500)}`);
  rows.push(paint('dim', `  docs/errors/${known.code}.md explains why, and what to do`));
  if (debug) rows.push(stack);
  return rows.join('\n');
}

/** The failure as data, for `--json`. */
export function failureJson(error: unknown): { error: Failure } {
  return {
    error: knownFailure(error) ?? {
      code: 'internal-error',
      message: error instanceof Error ? error.message : String(error),
      hint: errorPages['internal-error'].fix,
    },
  };
}
