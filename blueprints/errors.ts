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
  'blueprint-invalid': {
    title: 'A blueprint has problems',
    why: 'Nothing is started on a blueprint that is not whole. Each problem is listed with its own code, file, line and column.',
    fix: 'Go through the list; `jig check FILE` shows it again.',
  },
  'blueprint-too-large': {
    title: 'A blueprint is larger than 256 KB',
    why: 'A blueprint travels with each of its runs, and a parser is given only what is bounded.',
    fix: 'Move scripts and long texts into files of the repository, and call them by a `run` step.',
  },
  'blueprint-not-text': {
    title: 'A blueprint is not text',
    why: 'It holds a NUL character or bytes that are not UTF-8.',
    fix: 'Save the file as UTF-8; the message names the first line that is not.',
  },
  'blueprint-nested-too-deep': {
    title: 'A blueprint is nested too deeply',
    why: 'Lists and maps go at most 64 levels deep, so that nothing that reads them can be brought down by them.',
    fix: 'Flatten it; a JSON Schema that needs more levels is too much for one answer.',
  },
  'yaml-syntax': {
    title: 'The text is not one YAML document',
    why: 'A blueprint is one document of YAML 1.2, and nothing of it is guessed.',
    fix: 'Mend the place that the message names. Quote a text that holds `: ` or ` #`.',
  },
  'yaml-feature': {
    title: 'The text uses a part of YAML that this language leaves out',
    why: 'Anchors, aliases, tags and directives change what a text means away from where it is read, and are how YAML documents grow without bound.',
    fix: 'Write the value out where it is used.',
  },
  'yaml-duplicate-key': {
    title: 'A key stands twice in the same map',
    why: 'One of the two would be lost without a sign of it.',
    fix: 'Remove one, or merge them.',
  },
  'unknown-key': {
    title: 'A key is not part of the language',
    why: 'Keys that are not known are never ignored, because a misspelt `timeout` would be no timeout.',
    fix: 'Correct its spelling; the reference lists the keys of each step.',
  },
  'missing-key': {
    title: 'A key is missing',
    why: 'The language has no way to go on without it.',
    fix: 'Add it.',
  },
  'wrong-type': {
    title: 'A value has the wrong type',
    why: 'Nothing is converted by guess: `"10"` is not 10.',
    fix: 'Write the value as the message says.',
  },
  'wrong-value': {
    title: 'A value is outside of what is allowed',
    why: 'It breaks a limit or a pattern of its key, or is not one of the words that the key knows.',
    fix: 'Write a value as the message says; durations are written `90s`, `10m` or `2h`.',
  },
  'unknown-step': {
    title: 'A step is of no known kind',
    why: 'A step has exactly one action key, such as `run`, `check`, `agent` or `change`, and this one is not among them.',
    fix: 'Correct its spelling; the reference lists the kinds.',
  },
  'step-without-action': {
    title: 'A step does nothing',
    why: 'A step has exactly one action key, such as `run`, `check`, `agent` or `change`.',
    fix: 'Add the action key, or remove the step.',
  },
  'step-with-many-actions': {
    title: 'A step does several things',
    why: 'A step has exactly one action key, so that it succeeds or fails as one.',
    fix: 'Make a step of each.',
  },
  'step-not-available': {
    title: 'A kind of step that this version does not have',
    why: 'The language reserves the word; nothing carries it out yet.',
    fix: 'Use the kinds that the reference lists.',
  },
  'duplicate-id': {
    title: 'Two steps have the same id',
    why: '`steps.ID` would mean either of them.',
    fix: 'Rename one; ids are unique in the whole blueprint, inside of `each` too.',
  },
  'reserved-name': {
    title: 'A name means something else already',
    why: 'Expressions could not tell it from a word of theirs or from another name that is visible there.',
    fix: 'Choose another name.',
  },
  'unknown-reference': {
    title: 'An expression reads something that does not exist',
    why: 'The step, input, output or name is not declared, or the step has no such output.',
    fix: 'Correct its spelling; the reference lists the outputs of each kind of step.',
  },
  'forward-reference': {
    title: 'An expression reads a step that comes later',
    why: 'Steps run in order, so a later one has no outputs yet.',
    fix: 'Move the step, or read another one.',
  },
  'hidden-reference': {
    title: 'An expression reads a step inside of an `each` from outside',
    why: 'That step runs once for every item, so its outputs are many, or none.',
    fix: 'Read the `each` step itself (`count`, `succeeded`, `failed`), or move the reading step inside.',
  },
  'expression-type': {
    title: 'The types of an expression do not fit',
    why: 'Types are checked before the run starts; an `int` never equals a `string`.',
    fix: 'Compare like with like, or convert with `int()`, `double()` or `string()`.',
  },
  'template-in-shell': {
    title: '`${{ }}` stands in a shell script',
    why: 'A value in a script is code: a title such as `$(id)` would be carried out.',
    fix: 'Pass the value by `env:` and read it as "$NAME", or write the command as a list of words, which no shell sees.',
  },
  'template-not-here': {
    title: '`${{ }}` stands where nothing is evaluated',
    why: 'This key is read before there are values, or is not a template, so the text would be taken as it stands.',
    fix: 'Write a plain value, or move the expression to a key that evaluates it.',
  },
  'attempts-without-verify': {
    title: '`attempts` needs `verify`',
    why: 'Only the commands of `verify` can tell that an attempt failed.',
    fix: 'Add `verify`, or remove `attempts`.',
  },
  'ci-without-change': {
    title: '`ci` needs an earlier `change`',
    why: 'The checks of a forge run on a change that was opened.',
    fix: 'Add a `change` step before it.',
  },
  'unreachable-step': {
    title: 'A step can never run',
    why: 'An `end` without a condition stands before it.',
    fix: 'Give the `end` an `if`, or remove what follows it.',
  },
  'each-too-deep': {
    title: '`each` is nested more than twice',
    why: 'Loops in loops in loops are logic, which belongs in a script.',
    fix: 'Let a `run` step print one flat list.',
  },
  'too-many-steps': {
    title: 'A blueprint has more than 1,000 steps',
    why: 'A blueprint is read by people, and its run is one durable history.',
    fix: 'Use `each` over a list, or split the blueprint.',
  },
  'not-inside-each': {
    title: 'This kind of step cannot stand inside of `each`',
    why: 'It happens once in a run: a change, its CI, a human decision, the end.',
    fix: 'Move it behind the `each` step.',
  },
  'continue-after-side-effect': {
    title: '`on-failure: continue` cannot stand here',
    why: 'After a side effect that failed, what stands outside is unknown, so a run must not go on as if it had happened.',
    fix: 'Remove it; use `retry` for infrastructure that breaks.',
  },
  'key-without-effect': {
    title: 'A key has no effect here',
    why: 'This kind of step has no use for it, and nothing that is written is ignored.',
    fix: 'Remove it.',
  },
  'invalid-default': {
    title: 'The default of an input is not one of its values',
    why: 'It would be refused if it were given at the start.',
    fix: 'Make it fit the type and the `enum` of the input.',
  },
  'unknown-input': {
    title: 'An input is not declared',
    why: 'Inputs that are not known are never ignored.',
    fix: 'Correct its spelling, or declare it under `inputs`.',
  },
  'missing-input': {
    title: 'An input is missing',
    why: 'It has no default.',
    fix: 'Give it at the start: `--input NAME=VALUE`.',
  },
  'invalid-input': {
    title: 'An input has a value that it cannot have',
    why: 'It does not fit the declared type or `enum`.',
    fix: 'Give a value as the message says.',
  },
  'expression-invalid': {
    title: 'An expression cannot be read',
    why: 'It is not CEL, or uses a part of CEL that this language leaves out (regular expressions, bytes, timestamps), or is larger than an expression may be.',
    fix: 'Mend it at the place that the message names. What is logic belongs in a script that a `run` step calls.',
  },
  'expression-failed': {
    title: 'An expression could not be evaluated',
    why: 'A value had another type than the expression needs, a member was missing (as in a step that was skipped), or a number had no meaning, as after a division by zero.',
    fix: 'Ask with `has(…)` or `steps.ID.outcome` before you read what may be missing, and convert with `int()`, `double()` or `string()`.',
  },
  'expression-too-costly': {
    title: 'An expression makes or reads too much',
    why: 'An expression is evaluated inside the durable workflow, so its work and the size of its result are bounded.',
    fix: 'Do the work in a `run` step and let the expression read its result.',
  },
  'output-was-cut': {
    title: 'An expression reads an output that was cut',
    why: 'Only the beginning of a large output travels with the run; the whole is an artifact. Deciding on half of an output would be wrong without a sign of it.',
    fix: 'Let the command print less, or decide in the command and print the decision.',
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
} as const satisfies Record<string, ErrorPage>;

export type ErrorCode = keyof typeof errorPages;

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
