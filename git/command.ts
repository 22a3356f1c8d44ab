/** Runs git so that only the arguments here and the caller's environment configure it. */
import { execa } from 'execa';
import { GitRefusal, type GitAccess } from './contract.ts';

export interface GitCall {
  gitDir?: string;
  access?: GitAccess;
  env?: Record<string, string>;
  /** The transports that this command may use; none if missing. */
  protocol?: string;
  input?: string | Uint8Array | import('node:stream').Readable;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  maxOutputBytes?: number;
}

export interface GitResult {
  exitCode: number | undefined;
  stdout: Buffer;
  stderr: string;
  timedOut: boolean;
  /** Whether standard output reached `maxOutputBytes`, so that git was ended. */
  cut: boolean;
}

export type RunGit = (args: string[], call?: GitCall) => Promise<GitResult>;

/** The variables of the worker's environment that git may see: programs, proxies and certificates. */
const inherited = [
  'PATH',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
];

const fixedConfig = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.bigFileThreshold=16m',
  'protocol.allow=never',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'http.followRedirects=initial',
].flatMap((setting) => ['-c', setting]);

/** Makes the only function that starts git on the trusted side. It doesn't throw for git's exit codes. */
export function createGitRunner(gitPath = 'git'): RunGit {
  return async (args, call = {}) => {
    const result = await execa(
      gitPath,
      [...fixedConfig, ...(call.gitDir ? [`--git-dir=${call.gitDir}`] : []), ...args],
      {
        env: environment(call),
        extendEnv: false,
        cwd: call.gitDir ?? '/',
        encoding: 'buffer',
        reject: false,
        stripFinalNewline: false,
        maxBuffer: { stdout: call.maxOutputBytes ?? 64_000_000, stderr: 1_000_000 },
        timeout: call.timeoutMs ?? 60_000,
        forceKillAfterDelay: 2000,
        ...(call.signal && { cancelSignal: call.signal }),
        ...(call.input === undefined ? { stdin: 'ignore' as const } : { input: call.input }),
      },
    );
    call.signal?.throwIfAborted();
    if (result.exitCode === undefined && !result.timedOut && !result.isMaxBuffer && !result.isTerminated) {
      throw new Error(`git could not be started: ${result.shortMessage}`, { cause: result.cause });
    }
    const stderr = redact(Buffer.from(result.stderr ?? []).toString(), call.access);
    return {
      exitCode: result.exitCode,
      stdout: Buffer.from(result.stdout ?? []),
      stderr,
      timedOut: result.timedOut,
      cut: result.isMaxBuffer,
    };
  };
}

/**
 * The standard output of a command that must succeed. Its failure is a fault of the machine or of Jig, not of a user.
 */
export async function gitOutput(git: RunGit, args: string[], call?: GitCall): Promise<Buffer> {
  const result = await git(args, call);
  if (result.exitCode !== 0)
    throw new Error(
      `git ${args[0]} ended with ${result.timedOut ? 'a timeout' : (result.exitCode ?? 'a signal')}: ${excerpt(result.stderr)}`,
    );
  return result.stdout;
}

/** The end of git's messages, at most 2,000 characters. */
export function excerpt(stderr: string): string {
  return stderr.trim().slice(-2000);
}

/** The transport of an address. @throws GitRefusal if the address could make git start a program */
export function protocolOf(cloneUrl: string): string {
  const scheme = /^(https?|ssh|file):\/\/[^-\s]/.exec(cloneUrl)?.[1];
  if (scheme) return scheme;
  if (cloneUrl.startsWith('/')) return 'file';
  throw new GitRefusal(
    'repository-unreachable',
    'The clone address must begin with https, http, ssh or file, or be an absolute path.',
  );
}

function environment(call: GitCall): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return {
    ...env,
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    ...call.access?.env,
    ...call.env,
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: call.protocol ?? 'none',
    GIT_PROTOCOL_FROM_USER: '0',
  };
}

function redact(text: string, access: GitAccess | undefined): string {
  const secrets = Object.values(access?.env ?? {}).filter((value) => value.length >= 8);
  return secrets.reduce((safe, secret) => safe.replaceAll(secret, '***'), text);
}
