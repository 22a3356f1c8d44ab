/** The failures of runs, their steps and the messages to them. */
import type { ErrorPage } from './errors.ts';

export const runErrors = {
  'search-attributes-missing': {
    title: 'Temporal lacks the search attributes of runs',
    why: 'Runs are listed and filtered by typed search attributes. A namespace must have them before a run can start.',
    fix: 'Register them once; docs/operations.md has the command. `jig up` does it by itself.',
  },
  'config-invalid': {
    title: 'The configuration file can’t be used',
    why: 'Jig reads one YAML file and refuses keys that it doesn’t know, so that a typo can’t turn a limit off.',
    fix: 'Correct the keys that the message names; docs/reference/configuration.md lists them all.',
  },
  'budget-unenforceable': {
    title: 'A limit in dollars can’t be enforced',
    why: 'The blueprint sets `budget.usd`, nobody knows the price of the model, and the configuration says `model.refuseUnpriced: true`.',
    fix: 'Add the model’s price under `model.prices`, or bound the run by `budget.tokens` and take `budget.usd` out.',
  },
  'temporal-not-started': {
    title: 'Temporal’s dev server did not start',
    why: '`jig up` starts the Temporal CLI’s own dev server and waits until it answers.',
    fix: 'Read the log that the message names. The usual causes are a port that is in use, and a database file of a newer version.',
  },
  'temporal-unreachable': {
    title: 'No Temporal answers',
    why: 'Every command that looks at runs talks to Temporal.',
    fix: 'Start `jig up`, or set TEMPORAL_ADDRESS (or a Temporal profile) to a running server.',
  },
  'version-without-worker': {
    title: 'A run waits for a version of Jig that has no worker',
    why: 'A run keeps the version of Jig that it started on, so that an upgrade can’t change what it does. Workers of other versions leave it alone, and the run waits.',
    fix: 'Start that version again, with `jig up` or `jig worker`; the run goes on where it was. docs/how-to/upgrade-jig.md says how to give a run up instead.',
  },
  'no-current-version': {
    title: 'Temporal knows no version to start runs on',
    why: 'There are workers, but none of their versions is current, and a run starts on the current one.',
    fix: 'Set it once with `temporal worker deployment set-current-version`. With `worker.versions.promote: auto`, which is the default, workers do it by themselves.',
  },
  'version-not-current': {
    title: 'New runs can’t be started on this version',
    why: 'A worker tells Temporal that new runs start on its version, and Temporal didn’t take it.',
    fix: 'Read Temporal’s words in the message. Jig needs Temporal 1.29.1 or newer with Worker Versioning on. Where workers may not do it, set `worker.versions.promote: manual`.',
  },
  'history-mismatch': {
    title: 'A worker’s code doesn’t fit a run’s history',
    why: 'The run was moved to a version that would have done other things than the run did. Nothing is lost and nothing is done twice: the run waits for a worker whose code fits.',
    fix: 'Move it back to the version that it started on, which the message of `temporal workflow describe` names, and start a worker of it. docs/how-to/upgrade-jig.md has the command.',
  },
  'recording-invalid': {
    title: 'The recorded session can’t be read',
    why: 'A recording is one JSON file with the model’s name and its answers.',
    fix: 'Make it again with `--record`, or name another file.',
  },
  'budget-exceeded': {
    title: 'The budget is used up',
    why: 'Turns, tokens, dollars and time are checked before each spend, so the run stopped before the next one.',
    fix: 'Look at what was spent (`jig show`). Raise `budget:` or the step’s `turns:` and `timeout:` where the work is worth it.',
  },
  'command-failed': {
    title: 'A command of a `run` step ended with an exit code other than 0',
    why: 'The exit code alone decides whether a `run` step succeeds.',
    fix: 'Read its output with `jig logs`. If another code is fine, say so in the script: `… || true`.',
  },
  'command-deadline': {
    title: 'A command took longer than its timeout',
    why: 'Every command has a deadline. When it passes, the whole process tree is killed.',
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
    why: 'The limit protects the machine from a fork bomb.',
    fix: 'Raise `sandbox.resources.processes`, or run with fewer workers.',
  },
  'command-disk-full': {
    title: 'A command wrote more than the sandbox’s disk',
    why: 'The workspace and the home folder share the sandbox’s disk limit.',
    fix: 'Raise `sandbox.resources.disk`, or write less.',
  },
  'setup-failed': {
    title: 'A setup command of the sandbox failed',
    why: 'Without its setup, nothing can be checked in a checkout.',
    fix: 'Read its output with `jig logs`. The usual cause is a host that isn’t listed in `sandbox.egress`. For a command that needs more time, raise `runs.setupTimeoutMs` in the configuration.',
  },
  'checkout-failed': {
    title: 'The checkout in the sandbox failed',
    why: 'The repository reaches the sandbox as a bundle; git unpacks it there.',
    fix: 'Read the message. If it mentions space or a file size limit, raise `sandbox.resources.disk`: the repository’s history and its files must both fit. Otherwise the image usually lacks git.',
  },
  'export-failed': {
    title: 'The work could not be taken out of the sandbox',
    why: 'A script in the sandbox packs the work as a git bundle.',
    fix: 'Read the message. Nothing was pushed.',
  },
  'restore-failed': {
    title: 'The workspace could not be restored from its copy',
    why: 'The run let its sandbox go, or lost it, and a script in the new sandbox puts the copy in place.',
    fix: 'Read the message. Where it speaks of space or of a file size limit, raise `sandbox.resources.disk`: the new checkout and the copy have to fit, side by side. Otherwise start the run again.',
  },
  'check-failed': {
    title: 'A check decided against the work',
    why: 'A check decides by exit codes, and by the test runner’s own counts before and after.',
    fix: 'Read its output with `jig logs`.',
  },
  'verify-failed': {
    title: 'The agent’s work did not pass its checks',
    why: 'After each attempt the step’s `verify` commands decide; what failed went back to the model until the attempts were used up.',
    fix: 'Read the transcript (`jig transcript`) and the checks’ output. A clearer task, smaller steps or a stronger model help. For a check that needs more time, raise `runs.checkTimeoutMs` in the configuration.',
  },
  'gate-failed': {
    title: 'The checks failed in a clean checkout',
    why: 'The checks passed where the agent worked, and failed on the exported commit alone: they need something that isn’t in the commit.',
    fix: 'Look for ignored files, caches and files outside the repository: a commit doesn’t hold them.',
  },
  'agent-failed': {
    title: 'The agent step ended without a result',
    why: 'The model stopped before it said that the task is done.',
    fix: 'Read the transcript with `jig transcript`.',
  },
  'unusable-answers': {
    title: 'The model’s answers could not be used',
    why: 'Several answers in a row were empty, were neither a tool call nor an end, or did not fit the schema. `runs.unusableAnswers` sets how many end the step: three by default.',
    fix: 'Read the transcript. `JIG_MODEL_PROTOCOL=json` or `text` helps models that can’t call tools.',
  },
  'repeated-calls': {
    title: 'The model made the same calls again and again',
    why: 'Jig told the model so, and it went on. A loop like this doesn’t end by itself.',
    fix: 'Read the transcript: the task or the tool’s answer misleads it.',
  },
  'edit-refused': {
    title: 'An `edit` step did not match',
    why: 'An edit replaces exactly the text that it names, once, or nothing.',
    fix: 'Look at the place that the message shows. The file has changed since it was found, or the text occurs more than once.',
  },
  'edit-line-invalid': {
    title: 'The line of an `edit` step is not a line number',
    why: '`line` is a whole number, and the first line is 1.',
    fix: 'Check the value of the expression.',
  },
  'each-needs-a-list': {
    title: 'The items of an `each` step are not a list',
    why: '`each:` walks over a list, such as `${{ steps.places.value }}` with `parse: json` or `lines`.',
    fix: 'Check the value of the expression.',
  },
  'each-too-many': {
    title: 'The list of an `each` step is too long',
    why: 'The size of a run is limited.',
    fix: 'Split the work over several runs.',
  },
  'each-failed': {
    title: 'More items of an `each` step failed than it tolerates',
    why: 'Each item’s failure stands in the list of steps.',
    fix: 'Look at the failed items with `jig show`; set `tolerate:` where some may fail.',
  },
  'output-not-json': {
    title: 'A command’s output is not JSON',
    why: 'The step says `parse: json`.',
    fix: 'Run the command by hand: nothing but JSON may go to standard output.',
  },
  'value-too-large': {
    title: 'A command’s output is too large to be a value',
    why: 'A parsed value becomes part of the run’s history, so its size is limited.',
    fix: 'Print less, or split the list.',
  },
  'ci-without-change': {
    title: 'A `ci` step found no change',
    why: 'Checks belong to a change, and none was opened.',
    fix: 'Put a `change` step before it.',
  },
  'ci-failed': {
    title: 'The code host’s checks failed',
    why: 'Jig repairs a limited number of times. Then a person takes over.',
    fix: 'Look at the change: the log’s excerpt is in its last comment.',
  },
  'ci-timeout': {
    title: 'The code host’s checks did not end in time',
    why: 'Jig waits for a limited time.',
    fix: 'Look at the code host’s CI; set `ci.wait` if it takes longer.',
  },
  'approval-expired': {
    title: 'Nobody decided before the deadline',
    why: 'Every approval has a deadline. When it passes, the step’s default decides.',
    fix: 'Start the run again, or set `wait:`.',
  },
  rejected: {
    title: 'A human rejected the work',
    why: 'A person who was asked said no.',
    fix: 'Nothing. The run’s evidence is kept.',
  },
  cancelled: {
    title: 'The run was cancelled',
    why: 'Somebody asked for it.',
    fix: 'Nothing. Its sandbox was removed, and nothing was pushed afterwards.',
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
    title: 'The blueprint is not the one that was started',
    why: 'Its text and its files travel with the run, pinned by one hash, and what came has another hash.',
    fix: 'Start the run again.',
  },
  'invalid-request': {
    title: 'The start request is malformed',
    why: 'The client checks the request, and the workflow checks it again.',
    fix: 'Correct what the message names. Start runs with `jig run` or the typed client of the same version.',
  },
  'key-taken': {
    title: 'The key belongs to another request',
    why: 'A key starts one run of a blueprint on a repository. It came again with another text, branch or inputs, so it is unclear which run is meant.',
    fix: 'Use a different key for each request, such as a ticket’s number with a counter.',
  },
  'filter-invalid': {
    title: 'The list filter can’t be used',
    why: 'Filters are Temporal’s own; Temporal refused this one and said where.',
    fix: "Write it as in the Temporal UI: `JigBlueprint = 'python-utcnow' AND JigCostUsd > 0.5`. docs/how-to/look-at-runs.md lists the attributes.",
  },
  'forge-unknown': {
    title: 'The worker knows no such forge',
    why: 'A repository is named by its forge and `owner/name`.',
    fix: 'Use one of the forges that the message names.',
  },
  'activity-timed-out': {
    title: 'A part of the run did not answer within its bounds',
    why: 'At every try its worker died, or what it waited for never answered.',
    fix: 'Look at the worker’s logs.',
  },
  'worker-shutdown': {
    title: 'A worker stopped in the middle of its work',
    why: 'It was told to stop. Another worker continues the work.',
    fix: 'Nothing.',
  },
  'memory-lost': {
    title: 'What the run knew was lost',
    why: 'A long run goes on as a new execution, and takes along what it knows by way of the artifact store. The store could not keep it or give it back.',
    fix: 'Look at the artifact store: is there room on its disk, and does every worker use the same one? Then start the run again with `jig retry`.',
  },
  'edit-not-undone': {
    title: 'An edit could not be taken back',
    why: 'The work was sent back to a step before the edit. Taking the edit back needs the file as the edit left it, or at least the text that it wrote, and something changed both since.',
    fix: 'Send the work back to a later step, or start the run again.',
  },
  'internal-error': {
    title: 'Jig itself failed',
    why: 'This is a bug in Jig.',
    fix: 'Report it, with the run’s history (`temporal workflow show`).',
  },
  'already-paused': {
    title: 'The run is paused already',
    why: 'Only a run that is going on can be paused.',
    fix: 'Nothing, or resume it.',
  },
  'not-paused': {
    title: 'The run is not paused',
    why: 'Only a paused run can be resumed.',
    fix: 'Nothing.',
  },
  'nothing-to-steer': {
    title: 'No agent step is running',
    why: 'A message can steer an agent only while it works.',
    fix: '`jig show` says where the run is.',
  },
  'nothing-to-decide': {
    title: 'The run waits for no decision',
    why: 'A run can be approved, rejected or sent back only when it asks for a decision.',
    fix: '`jig show` says where the run is.',
  },
  'not-asked': {
    title: 'Somebody else is asked',
    why: 'The blueprint’s `approve.who` names who may decide.',
    fix: 'Ask one of them.',
  },
  'cannot-send-back': {
    title: 'The work can’t be sent back',
    why: 'Work goes back to a step before the question in the same list, as often as the question’s `rounds` allow.',
    fix: 'Approve or reject it, or name one of the steps that the message lists.',
  },
  'invalid-message': {
    title: 'A message to a run is malformed',
    why: 'It is checked before the run sees it.',
    fix: 'Use `jig` or the typed client of the same version.',
  },
  'run-ended': {
    title: 'The run has ended',
    why: 'A run that has ended takes no messages.',
    fix: 'Start another run; `jig retry` takes the same blueprint, repository and inputs.',
  },
  'run-not-found': {
    title: 'There is no such run',
    why: 'Temporal has no run with this id, or no longer: it deletes runs that ended long ago.',
    fix: '`jig runs` lists the runs.',
  },
  'run-ambiguous': {
    title: 'Several runs match',
    why: 'A run can be named by the end of its id, if only one run’s id ends so.',
    fix: 'Give more of the id; `jig runs` lists them.',
  },
  'blueprint-not-found': {
    title: 'There is no such blueprint',
    why: 'A name alone is the name of a blueprint in Jig’s library. A path names a folder with a `blueprint.yaml` in it, or one YAML file.',
    fix: 'Name a blueprint of the library, a folder such as `./mine`, or a file such as `./mine.yaml`.',
  },
  'file-unreadable': {
    title: 'A file can’t be read',
    why: 'It is not there, or this user may not read it.',
    fix: 'Look at the path and the permissions; `-` is standard input.',
  },
  'no-change': {
    title: 'The run has opened no change',
    why: 'A change is opened by the blueprint’s `change` step, which has not been reached, or there was nothing to change.',
    fix: '`jig show` says where the run is and how it ended.',
  },
  'change-elsewhere': {
    title: 'The change is on another code host',
    why: '`jig diff` and `jig change` read the local forge. Look at, approve and merge a change on another host there.',
    fix: 'Open the address in the message.',
  },
  'no-such-step': {
    title: 'The run has no such step',
    why: 'Steps are named by their id, those of an item as in `rewrite[3].ask`, and only once they have begun.',
    fix: 'Look at `jig show`, which lists the steps.',
  },
  'repository-unrelated': {
    title: 'The local forge has another repository under this name',
    why: 'The local forge’s repository of this name doesn’t have the commit that is checked out, so a run would work on something else.',
    fix: 'Choose another name with `--name`, or push the missing commits to the local forge’s repository.',
  },
  'not-a-repository': {
    title: 'This is not a git repository',
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
    why: 'Jig needs it and does not install it.',
    fix: 'Install the package that the message names.',
  },
  'artifact-unavailable': {
    title: 'The run’s files are not on this machine',
    why: 'Large outputs are kept where the worker keeps its data.',
    fix: 'Run the command on the worker’s machine, or set JIG_DATA_DIR to its data folder.',
  },
} as const satisfies Record<string, ErrorPage>;
