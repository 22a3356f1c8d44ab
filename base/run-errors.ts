/** The failures of runs, their steps and the messages to them. */
import type { ErrorPage } from './errors.ts';

export const runErrors = {
  'search-attributes-missing': {
    title: 'Temporal lacks the search attributes that runs need',
    why: 'Jig lists and filters runs by search attributes. A namespace must have them before a run can start.',
    fix: 'Register them once: docs/how-to/run-a-worker.md has the commands. `jig up` does it by itself.',
  },
  'config-invalid': {
    title: 'The configuration file can’t be used',
    why: 'Jig reads one YAML file and refuses keys that it doesn’t know, so that a typo can’t turn a limit off.',
    fix: 'Correct the keys that the message names. docs/reference/configuration.md lists all keys.',
  },
  'data-folder-unusable': {
    title: 'The data folder can’t be used',
    why: 'Runs, changes and mirrors are kept in the folder that JIG_DATA_DIR names, by default ~/.local/share/jig. Something in its path is no folder, or can’t be read or written by you.',
    fix: 'Name another folder with `JIG_DATA_DIR`, or correct the one that the message names.',
  },
  'budget-unenforceable': {
    title: 'A limit in dollars can’t be enforced',
    why: 'The blueprint sets `budget.usd`, nobody knows the price of the model, and the configuration says `model.refuseUnpriced: true`.',
    fix: 'Add the model’s price under `model.prices`, or limit the run with `budget.tokens` and remove `budget.usd`.',
  },
  'temporal-not-started': {
    title: 'Temporal’s dev server did not start',
    why: '`jig up` starts the dev server of the Temporal CLI and waits until it answers.',
    fix: 'Read the log that the message names. The usual causes are a port that is in use, and a database file from a newer version.',
  },
  'temporal-unreachable': {
    title: 'Temporal does not answer',
    why: 'Every command that works with runs needs Temporal.',
    fix: 'Start `jig up`, or set TEMPORAL_ADDRESS (or a Temporal profile) to a running server.',
  },
  'version-without-worker': {
    title: 'A run waits for a version of Jig that has no worker',
    why: 'A run keeps the version of Jig that it started on, so that an upgrade can’t change what it does. Workers of other versions do not touch it.',
    fix: 'Start that version again with `jig up` or `jig worker`, and the run goes on from where it stopped. docs/how-to/upgrade-jig.md says how to give up the run instead.',
  },
  'no-current-version': {
    title: 'Temporal knows no version to start runs on',
    why: 'A run starts on the current version. There are workers, but none of their versions is current.',
    fix: 'Set it once with `temporal worker deployment set-current-version`. With `worker.versions.promote: auto` (the default), workers set it by themselves.',
  },
  'version-not-current': {
    title: 'New runs can’t be started on this version',
    why: 'A worker asked Temporal to start new runs on its version, and Temporal refused.',
    fix: 'The message has Temporal’s answer. Jig needs Temporal 1.29.1 or newer with Worker Versioning enabled. If workers may not set the version, use `worker.versions.promote: manual`.',
  },
  'history-mismatch': {
    title: 'A worker’s code doesn’t fit a run’s history',
    why: 'The run was moved to a version that would have done something else than the run did. Nothing is lost and nothing is done twice: the run waits for a worker whose code fits.',
    fix: '`temporal workflow describe` names the version that it started on. Move the run back to that version and start a worker of it. docs/how-to/upgrade-jig.md has the commands.',
  },
  'recording-invalid': {
    title: 'The recorded session can’t be read',
    why: 'A recording is one JSON file with the model’s name and its answers.',
    fix: 'Make it again with `--record`, or name another file.',
  },
  'budget-exceeded': {
    title: 'The budget is used up',
    why: 'Jig checks turns, tokens, dollars and time before it spends more, so it stopped the run here.',
    fix: 'See what was spent with `jig show`. If the work is worth it, raise `budget:`, or the step’s `turns:` and `timeout:`.',
  },
  'command-failed': {
    title: 'A command of a `run` step ended with an exit code other than 0',
    why: 'The exit code alone decides whether a `run` step succeeds.',
    fix: 'Read its output with `jig logs`. If another code is fine, say so in the script: `… || true`.',
  },
  'command-deadline': {
    title: 'A command took longer than its timeout',
    why: 'Every command has a deadline. When it passes, the whole process tree is killed.',
    fix: 'See how far it came with `jig logs`. Set `timeout:` on the step, or make the command shorter.',
  },
  'command-cancelled': {
    title: 'A command was ended because the run was cancelled',
    why: 'When a run is cancelled, its commands are stopped.',
    fix: 'Nothing.',
  },
  'command-out-of-memory': {
    title: 'A command used more memory than the sandbox has',
    why: 'All processes of a command share the sandbox’s memory limit.',
    fix: 'Raise `sandbox.resources.memory`, or make the command use less.',
  },
  'command-too-many-processes': {
    title: 'A command started more processes than the sandbox allows',
    why: 'The limit protects the machine from a fork bomb.',
    fix: 'Raise `sandbox.resources.processes`, or run the command with fewer parallel processes.',
  },
  'command-disk-full': {
    title: 'A command wrote more than the sandbox’s disk holds',
    why: 'The workspace and the home folder share the sandbox’s disk limit.',
    fix: 'Raise `sandbox.resources.disk`, or write less.',
  },
  'setup-failed': {
    title: 'A setup command of the sandbox failed',
    why: 'The checkout can’t be used until its setup has succeeded.',
    fix: 'Read its output with `jig logs`. The usual cause is a host that isn’t listed in `sandbox.egress`. If a command needs more time, raise `runs.setupTimeoutMs` in the configuration.',
  },
  'checkout-failed': {
    title: 'The checkout in the sandbox failed',
    why: 'The repository is sent to the sandbox as a git bundle, and git could not unpack it there.',
    fix: 'Read the message. If it mentions space or a file size limit, raise `sandbox.resources.disk`: the repository’s history and its files must both fit. Otherwise the image usually lacks git.',
  },
  'export-failed': {
    title: 'The work could not be taken out of the sandbox',
    why: 'A script in the sandbox packs the work as a git bundle.',
    fix: 'Read the message: it has the script’s error. Nothing was pushed.',
  },
  'restore-failed': {
    title: 'The workspace could not be restored from its copy',
    why: 'The run released its sandbox or lost it. A script in the new sandbox should have restored the copy of the workspace.',
    fix: 'Read the message. If it mentions space or a file size limit, raise `sandbox.resources.disk`: the new checkout and the copy must both fit. Otherwise start the run again with `jig retry`.',
  },
  'check-failed': {
    title: 'A check failed',
    why: 'A check decides by exit codes, and by the test runner’s own counts before and after. What failed before the change is excused only if the same tests fail, or the same command fails in the same way. With `gate: turn-green`, a check must fail before the change.',
    fix: 'Read its output with `jig logs`. docs/reference/test-runners.md lists the runners that are understood.',
  },
  environment: {
    title: 'A check could not do its work where it ran',
    why: 'A program is not installed, a download was refused, or a limit of the sandbox was reached. That says nothing about the code, so the check neither passes nor excuses a later failure, and the run ends before more is spent, also with `on-failure: continue`.',
    fix: 'Do what the message asks for: install the program in `sandbox.setup` or in the image, list the host in `sandbox.egress`, or raise the limit under `sandbox.resources`. Then start the run again with `jig retry`.',
  },
  'verify-failed': {
    title: 'The agent’s work did not pass its checks',
    why: 'After each attempt, the step’s `verify` commands decide. The model saw what failed and tried again, until all attempts were used.',
    fix: 'Read the transcript with `jig transcript`, and the output of the checks with `jig logs`. A clearer task, smaller steps or a stronger model can help. If a check needs more time, raise `runs.checkTimeoutMs` in the configuration.',
  },
  'gate-failed': {
    title: 'The checks failed in a clean checkout',
    why: 'The checks passed where the agent worked, but failed on the exported commit alone. They need something that isn’t in the commit.',
    fix: 'Read the output of the gate with `jig logs`. Look for ignored files, caches and files outside the repository: a commit doesn’t contain them.',
  },
  'agent-failed': {
    title: 'The agent step ended without a result',
    why: 'The model stopped before it said that the task was done.',
    fix: 'Read the transcript with `jig transcript`.',
  },
  'unusable-answers': {
    title: 'The model’s answers could not be used',
    why: 'Several answers in a row were empty, were neither a tool call nor an end, or did not fit the schema. `runs.unusableAnswers` says how many such answers end the step: three by default.',
    fix: 'Read the transcript with `jig transcript`. `JIG_MODEL_PROTOCOL=json` or `text` helps models that can’t call tools.',
  },
  'repeated-calls': {
    title: 'The model made the same calls again and again',
    why: 'Jig told the model, but it went on. Such a loop doesn’t end by itself.',
    fix: 'Read the transcript with `jig transcript`: the task or a tool’s answer may mislead the model.',
  },
  'edit-refused': {
    title: 'An `edit` step did not match',
    why: 'An edit replaces exactly the text that it names. If the text isn’t there, or is there more than once, the edit changes nothing.',
    fix: 'Look at the place that the message shows. If the text is there more than once, set `all: true`, or name the line with `line:`. The file may have changed since an earlier step read it.',
  },
  'edit-line-invalid': {
    title: 'The line of an `edit` step is not a line number',
    why: '`line` must be a whole number. The first line is 1.',
    fix: 'Check the value of the expression.',
  },
  'each-needs-a-list': {
    title: 'The items of an `each` step are not a list',
    why: '`each:` needs a list, such as `${{ steps.places.value }}` with `parse: json` or `lines`.',
    fix: 'Check the value of the expression.',
  },
  'each-too-many': {
    title: 'The list of an `each` step is too long',
    why: 'The size of a run is limited, and each item adds to it.',
    fix: 'Split the work into several runs.',
  },
  'each-failed': {
    title: 'Too many items of an `each` step failed',
    why: 'More items failed than `tolerate:` allows. Without `tolerate:`, none may fail.',
    fix: 'See why the items failed with `jig show`, and what they printed with `jig logs`. If some may fail, set `tolerate:`.',
  },
  'output-not-json': {
    title: 'A command’s output is not JSON',
    why: 'The step has `parse: json`, so its standard output must be one JSON value.',
    fix: 'See what it printed with `jig logs`. Write everything that is not JSON to standard error.',
  },
  'value-too-large': {
    title: 'A command’s output is too large to be parsed',
    why: 'A parsed value becomes part of the run’s history, so its size is limited.',
    fix: 'Print less, or split the list.',
  },
  'ci-without-change': {
    title: 'A `ci` step found no change',
    why: 'The code host runs checks on an open change. There is no `change` step before the `ci` step, or it was skipped.',
    fix: 'Put a `change` step before it. If the `change` step has an `if`, give the `ci` step the same one.',
  },
  'ci-failed': {
    title: 'The code host’s checks failed',
    why: 'Jig tries to repair the change a limited number of times. Then a person must take over.',
    fix: 'Look at the change: its last comment has an excerpt of the log.',
  },
  'ci-timeout': {
    title: 'The code host’s checks did not finish in time',
    why: 'Jig waits for a limited time.',
    fix: 'Look at the code host’s CI. If it needs more time, raise `ci.wait`.',
  },
  'approval-expired': {
    title: 'Nobody decided before the deadline',
    why: 'Every approval has a deadline. When it passes, the step’s default decides.',
    fix: 'Start the run again, or set `wait:`.',
  },
  rejected: {
    title: 'A person rejected the work',
    why: 'The run asked for a decision, and somebody rejected the work.',
    fix: 'Nothing. The run’s evidence is kept.',
  },
  cancelled: {
    title: 'The run was cancelled',
    why: 'Somebody cancelled it.',
    fix: 'Nothing. Its sandbox was removed, and nothing was pushed afterwards.',
  },
  'pause-expired': {
    title: 'A paused run was not resumed before its deadline',
    why: 'A run doesn’t wait for ever.',
    fix: 'Start it again with `jig retry`. To give people more time, raise `runs.humanWaitMs` in the configuration.',
  },
  'ended-by-blueprint': {
    title: 'An `end` step ended the run as failed',
    why: 'The blueprint says that the run fails in this case.',
    fix: 'Read the reason in the message.',
  },
  'blueprint-not-pinned': {
    title: 'The blueprint is not the one that was started',
    why: 'A run is started with the hash of its blueprint’s text and files. What the worker received has another hash.',
    fix: 'Start the run again with `jig run`.',
  },
  'invalid-request': {
    title: 'The request to start a run is not valid',
    why: 'The client checks the request, and the workflow checks it again.',
    fix: 'Correct what the message names. Start runs with `jig run`, or with the typed client of the same version.',
  },
  'key-taken': {
    title: 'The key was used for another request',
    why: 'A key starts one run of a blueprint on a repository. It was given again with another blueprint text, branch or inputs, so it is unclear which run is meant.',
    fix: 'Use a different key for each request, such as a ticket’s number and a counter.',
  },
  'filter-invalid': {
    title: 'The list filter can’t be used',
    why: 'Temporal evaluates the filter, and it refused this one. The message says where.',
    fix: "Write it as in the Temporal UI: `JigBlueprint = 'python-utcnow' AND JigCostUsd > 0.5`. docs/how-to/look-at-runs.md lists the attributes.",
  },
  'forge-unknown': {
    title: 'The worker doesn’t know this code host',
    why: 'A repository is named `FORGE:OWNER/NAME`, where FORGE is a code host in the worker’s configuration.',
    fix: 'Use a name from the message, or add the code host under `forges` in the worker’s configuration.',
  },
  'activity-timed-out': {
    title: 'An activity of the run did not finish in time',
    why: 'On every try, its worker died, or what it waited for never answered.',
    fix: 'Read the worker’s log: standard error of `jig worker`, `worker.log` in the data folder of `jig up`.',
  },
  'worker-shutdown': {
    title: 'A worker stopped before its work was done',
    why: 'It was told to stop. Another worker continues the work.',
    fix: 'Nothing.',
  },
  'memory-lost': {
    title: 'The state of a long run was lost',
    why: 'A long run continues as a new execution and passes its state on through the artifact store. The store could not save the state or read it, or the state is of another version of Jig.',
    fix: 'Check that the artifact store’s disk has room, and that every worker uses the same store. Then start the run again with `jig retry`.',
  },
  'edit-not-undone': {
    title: 'An edit could not be undone',
    why: 'The work was sent back to a step before the edit, so the edit must be undone. That needs the file as the edit left it, or at least the text that the edit wrote. Something has changed both since.',
    fix: 'Start the run again with `jig retry`.',
  },
  'internal-error': {
    title: 'Jig itself failed',
    why: 'This is a bug in Jig.',
    fix: 'Report it, with the run’s history (`temporal workflow show`).',
  },
  'already-paused': {
    title: 'The run is already paused',
    why: 'Somebody paused it before.',
    fix: 'Nothing. `jig resume` lets it go on.',
  },
  'not-paused': {
    title: 'The run is not paused',
    why: 'Only a paused run can be resumed.',
    fix: 'Nothing. `jig show` says what the run does.',
  },
  'nothing-to-steer': {
    title: 'No agent step is running',
    why: 'A message can steer an agent only while it works.',
    fix: '`jig show` says where the run is.',
  },
  'nothing-to-decide': {
    title: 'The run is not waiting for a decision',
    why: 'A run can be approved, rejected or sent back only while it asks for a decision.',
    fix: '`jig show` says where the run is.',
  },
  'not-asked': {
    title: 'The decision is somebody else’s',
    why: 'The blueprint’s `approve.who` names who may decide.',
    fix: 'Ask one of these people to decide.',
  },
  'cannot-send-back': {
    title: 'The work can’t be sent back',
    why: 'Work can go back only to an earlier step in the same list as the question, and only as often as the question’s `rounds` allows.',
    fix: 'Approve or reject it, or name one of the steps that the message lists.',
  },
  'invalid-message': {
    title: 'A message to a run is not valid',
    why: 'Jig checks each message before the run gets it.',
    fix: 'Correct what the message names. Send messages with `jig`, or with the typed client of the same version.',
  },
  'run-ended': {
    title: 'The run has ended',
    why: 'A run that has ended takes no messages.',
    fix: 'Start another run. `jig retry` uses the same blueprint, repository and inputs.',
  },
  'run-not-found': {
    title: 'There is no such run',
    why: 'Temporal has no run with this id. It deletes runs some time after they have ended.',
    fix: '`jig runs` lists the runs.',
  },
  'run-ambiguous': {
    title: 'Several runs match',
    why: 'A run can be named by the end of its id, but only if no other id ends the same way.',
    fix: 'Give more of the id. `jig runs` lists the ids.',
  },
  'blueprint-not-found': {
    title: 'There is no such blueprint',
    why: 'A plain name is a blueprint in Jig’s library. A path is a folder with a `blueprint.yaml` in it, or one YAML file.',
    fix: 'Give the name of a blueprint in the library, a folder such as `./mine`, or a file such as `./mine.yaml`.',
  },
  'file-unreadable': {
    title: 'A file can’t be read',
    why: 'It does not exist, or you may not read it.',
    fix: 'Check the path and the permissions. `-` is standard input.',
  },
  'no-change': {
    title: 'The run has not opened a change',
    why: 'The run has not reached the blueprint’s `change` step, or there was nothing to change.',
    fix: '`jig show` says where the run is and how it ended.',
  },
  'change-elsewhere': {
    title: 'The change is on another code host',
    why: '`jig diff` and `jig change` work with the local forge only. A change on another host is read, approved and merged there.',
    fix: 'Open the address in the message.',
  },
  'no-such-step': {
    title: 'The run has no such step',
    why: 'A step is named by its id, and a step of an item as in `rewrite[3].ask`. A run has a step only once it has started.',
    fix: 'List the steps with `jig show`.',
  },
  'repository-unrelated': {
    title: 'The local forge has another repository under this name',
    why: 'The repository of this name was imported from another folder and has another history. A run would work on something else.',
    fix: 'Import yours under another name with `jig repo add PATH --name OWNER/NAME`. If it is the same repository in a new place, say so with `jig repo update OWNER/NAME --from PATH`.',
  },
  'history-diverged': {
    title: 'A branch and its copy in the local forge have gone different ways',
    why: 'Commits were added to the folder, or rewritten there with `git commit --amend` or `git rebase`, after changes were merged into the copy. The copy follows a rewritten history by itself only if nothing was merged into it.',
    fix: 'To keep what was merged, get it with `git pull --rebase`; the message has the whole command. To give it up, make the copy what the folder is with `jig repo update OWNER/NAME --force`.',
  },
  'source-unusable': {
    title: 'This repository can’t be imported as it is',
    why: 'Git could not read all of its commits, or it is of a kind that Jig does not support: a partial clone lacks files, and commits with SHA-256 names fit into no forge.',
    fix: 'Do what the message asks for. A partial clone is completed by `git fetch --refetch --no-filter`. Any other repository is imported if `git clone` can copy it.',
  },
  'not-a-repository': {
    title: 'This is not a git repository',
    why: 'A repository is named by its folder on this machine, or as OWNER/NAME in the local forge.',
    fix: 'Give the path of a git repository with at least one commit, or a name that `jig repo list` shows.',
  },
  'already-up': {
    title: 'Jig is already up',
    why: 'Only one `jig up` at a time can use a data folder.',
    fix: 'Use the one that is running, stop it, or set JIG_DATA_DIR to another folder. Whether a process of another machine still runs can’t be seen from here: if it is gone, remove `up.json` from the data folder.',
  },
  'program-missing': {
    title: 'A program is not installed',
    why: 'Jig needs this program and does not install it.',
    fix: 'Install the package that the message names.',
  },
  'artifact-unavailable': {
    title: 'The run’s outputs are not on this machine',
    why: 'Large outputs are in the worker’s data folder.',
    fix: 'Run the command on the worker’s machine, or set JIG_DATA_DIR to its data folder.',
  },
} as const satisfies Record<string, ErrorPage>;
