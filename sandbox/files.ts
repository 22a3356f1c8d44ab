/**
 * Reads and writes files of a workspace by commands inside the sandbox. No trusted code opens a path in a tree that an
 * agent touched, so a link that is swapped at the right moment only shows the sandbox its own files.
 */
import { readFile as readHostFile } from 'node:fs/promises';
import { JigError } from '../base/errors.ts';
import type { CommandResult, Sandbox } from './contract.ts';

const fileProblems = ['unsafe-path', 'outside', 'not-found', 'not-a-file', 'not-writable', 'interrupted'] as const;
export type FileProblem = (typeof fileProblems)[number];

/** A file of the workspace could not be read or written. The path is untrusted text. */
export class SandboxFileError extends JigError {
  override name = 'SandboxFileError';
  readonly problem: FileProblem;
  readonly path: string;
  constructor(problem: FileProblem, path: string) {
    super('edit-refused', `${sentences[problem]}: ${JSON.stringify(path)}`, { retryable: problem === 'interrupted' });
    this.problem = problem;
    this.path = path;
  }
}

const sentences: Record<FileProblem, string> = {
  'unsafe-path': 'A path must be relative to the workspace, without .. in it',
  outside: 'The path leads out of the workspace',
  'not-found': 'There is no such file',
  'not-a-file': 'This is not a regular file',
  'not-writable': 'The file could not be written',
  interrupted: 'The command that handles the file was ended before its end',
};

const fileTimeoutMs = 60_000;

/** Exit codes of the scripts. */
const problemsByCode: Record<number, FileProblem> = {
  40: 'not-found',
  41: 'outside',
  42: 'not-a-file',
  43: 'not-writable',
};

/** Sets $real to the real path of "$1". An added x keeps a newline at the name's end. */
const findReal = `
root=$(pwd -P)
real=$(realpath -- "./$1" 2>/dev/null && echo x) || exit 40
real=\${real%?x}
case $real in "$root"/*) ;; *) exit 41 ;; esac
[ -f "$real" ] || exit 42
`;

const readScript = `[ -e "./$1" ] || [ -L "./$1" ] || exit 40
${findReal}
exec cat -- "$real"`;

const writeScript = `
case $1 in */*) folder=./\${1%/*} ;; *) folder=. ;; esac
real_of() { (cd -- "$1" 2>/dev/null && pwd -P && echo x); }
there=$folder
while [ ! -e "$there" ] && [ ! -L "$there" ]; do there=\${there%/*}; done
top=$(real_of .) || exit 43
top=\${top%?x}
real=$(real_of "$there") || exit 43
case \${real%?x}/ in "$top"/*) ;; *) exit 41 ;; esac
mkdir -p -- "$folder" 2>/dev/null || exit 43
if [ -e "./$1" ] || [ -L "./$1" ]; then
${findReal}
else
real=./$1
fi
cat >"$real" || exit 43`;

/**
 * Reads at most `maxBytes` of a file. `truncated` is true if it has more, and `sizeBytes` counts all of them. Repeatable by `key`, which names only this
 * reading.
 * @throws SandboxFileError, SandboxLost
 */
export async function readFile(
  sandbox: Sandbox,
  key: string,
  path: string,
  options: { maxBytes: number; signal?: AbortSignal },
): Promise<{ bytes: Uint8Array; truncated: boolean; sizeBytes: number }> {
  const { maxBytes, signal } = options;
  checkPath(path);
  const spec = { key, argv: ['sh', '-c', readScript, 'sh', path], timeoutMs: fileTimeoutMs, outputCapBytes: maxBytes };
  const result = await sandbox.run(spec, signal ? { signal } : {});
  checkResult(result, path);
  const bytes = await readHostFile(result.stdout.path);
  const { droppedBytes } = result.stdout;
  return { bytes, truncated: droppedBytes > 0, sizeBytes: bytes.length + droppedBytes };
}

/**
 * Writes a whole file, and makes the folders that it needs. An existing file keeps its mode. Repeatable by `key`.
 * @throws SandboxFileError, SandboxLost
 */
export async function writeFile(
  sandbox: Sandbox,
  key: string,
  path: string,
  bytes: Uint8Array,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  checkPath(path);
  const spec = {
    key,
    argv: ['sh', '-c', writeScript, 'sh', path],
    stdin: bytes,
    timeoutMs: fileTimeoutMs,
    outputCapBytes: 4096,
  };
  checkResult(await sandbox.run(spec, options), path);
}

function checkPath(path: string): void {
  const parts = path.split('/');
  const plain =
    path !== '' &&
    !path.includes('\0') &&
    !path.startsWith('/') &&
    !path.endsWith('/') &&
    !parts.includes('..') &&
    path.length <= 4096;
  if (!plain) throw new SandboxFileError('unsafe-path', path);
}

function checkResult(result: CommandResult, path: string): void {
  if (result.ending !== 'exited') throw new SandboxFileError('interrupted', path);
  if (result.exitCode === 0) return;
  throw new SandboxFileError(problemsByCode[result.exitCode] ?? 'not-writable', path);
}
