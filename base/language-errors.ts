/** The failures of the language, in the order in which a reader of a blueprint meets them. */
import type { ErrorPage } from './errors.ts';

export const languageErrors = {
  'blueprint-invalid': {
    title: 'A blueprint has problems',
    why: 'A run starts only on a blueprint without problems. Each problem is listed with its own code, file, line and column.',
    fix: 'Go through the list; `jig check FILE` shows it again.',
  },
  'blueprint-too-large': {
    title: 'A blueprint is larger than 256 KB',
    why: 'A blueprint travels with each of its runs, so its size is limited.',
    fix: 'Move scripts and long texts into files beside `blueprint.yaml`, and call them in a `run` step with `${{ blueprint.path }}`.',
  },
  'blueprint-not-text': {
    title: 'A blueprint is not text',
    why: 'It holds a NUL character or bytes that are not UTF-8.',
    fix: 'Save the file as UTF-8; the message names the first line that is not.',
  },
  'blueprint-nested-too-deep': {
    title: 'A blueprint is nested too deeply',
    why: 'Lists and maps go at most 64 levels deep, so that no program that reads them runs out of memory.',
    fix: 'Flatten it; a JSON Schema with more levels asks too much of one answer.',
  },
  'blueprint-file-refused': {
    title: 'A file can not be part of a blueprint’s folder',
    why: 'Every file of the folder is pinned by one hash and laid in each sandbox of the run. So it must be a regular file, no link or device, and its path must mean the same on every machine: UTF-8 in Unicode normal form C, without control characters or backslashes, and no second path that differs only in upper and lower case.',
    fix: 'Rename or remove the file that the message names, or put a copy where the link is. Names that begin with a dot are not part of the folder, so a file that must stay can be hidden by one.',
  },
  'blueprint-folder-too-large': {
    title: 'The folder of a blueprint is too large',
    why: 'Its files travel with each run and are laid in each of its sandboxes, so their number and size are bounded. A worker that keeps its data on another machine gets them inside the request, which holds less.',
    fix: 'Move what the programs do not need out of the folder. Large tools belong in the image of the sandbox, or are installed by `setup`. To use the whole limit, start the run on the machine of `jig up`.',
  },
  'yaml-syntax': {
    title: 'The text is not one YAML document',
    why: 'A blueprint is one document of YAML 1.2, and Jig guesses nothing.',
    fix: 'Correct the place that the message names. Quote a text that holds `: ` or ` #`.',
  },
  'yaml-feature': {
    title: 'The text uses a part of YAML that this language leaves out',
    why: 'Anchors, aliases, tags and directives change what a text means away from where it is read, and they can make a YAML document grow without limit.',
    fix: 'Write the value out where it is used.',
  },
  'yaml-duplicate-key': {
    title: 'A key stands twice in the same map',
    why: 'One of the two values would be lost without notice.',
    fix: 'Remove one, or merge them.',
  },
  'unknown-key': {
    title: 'A key is not part of the language',
    why: 'Unknown keys are never ignored: with a misspelt `timeout`, a step would have no timeout.',
    fix: 'Correct its spelling; the reference lists the keys of each step.',
  },
  'missing-key': {
    title: 'A key is missing',
    why: 'The key is required here.',
    fix: 'Add it.',
  },
  'wrong-type': {
    title: 'A value has the wrong type',
    why: 'Nothing is converted by guess: `"10"` is not 10.',
    fix: 'Write the value as the message says.',
  },
  'wrong-value': {
    title: 'A value is not allowed',
    why: 'It breaks a limit or a pattern of its key, or is not one of the words that the key knows.',
    fix: 'Write a value as the message says. Durations look like `90s`, `10m` or `2h`.',
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
    fix: 'Make one step of each action.',
  },
  'step-not-available': {
    title: 'A kind of step that this version does not have',
    why: 'The word is reserved, but Jig can’t carry out this step yet.',
    fix: 'Use the kinds that the reference lists.',
  },
  'duplicate-id': {
    title: 'Two steps have the same id',
    why: '`steps.ID` would mean either of them.',
    fix: 'Rename one; ids are unique in the whole blueprint, inside of `each` too.',
  },
  'reserved-name': {
    title: 'A name means something else already',
    why: 'In expressions it would mean a word of the expression language, or another name that is visible there.',
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
    why: 'Types are checked before the run starts. An `int` never equals a `string`.',
    fix: 'Compare like with like, or convert with `int()`, `double()` or `string()`.',
  },
  'template-in-shell': {
    title: '`${{ }}` stands in a shell script',
    why: 'A value in a script is code: a title such as `$(id)` would be carried out.',
    fix: 'Pass the value by `env:` and read it as "$NAME", or write the command as a list of words, which no shell sees.',
  },
  'template-not-here': {
    title: '`${{ }}` stands where nothing is evaluated',
    why: 'This key is read before there are values, or is not a template, so the text would be used literally.',
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
    why: 'Deeper loops are program logic, which belongs in a script.',
    fix: 'Let a `run` step print one flat list.',
  },
  'too-many-steps': {
    title: 'A blueprint has more than 1,000 steps',
    why: 'A blueprint is read by people, and its run is one durable history.',
    fix: 'Use `each` over a list, or split the blueprint.',
  },
  'not-inside-each': {
    title: 'This kind of step cannot stand inside of `each`',
    why: 'It happens once in a run: a change, its CI, the end. The steps of an `each` run once for every item.',
    fix: 'Move it after the `each` step.',
  },
  'continue-after-side-effect': {
    title: '`on-failure: continue` cannot stand here',
    why: 'When a step with an effect outside the sandbox fails, nobody knows whether the effect happened, so the run must not go on.',
    fix: 'Remove it. For infrastructure that fails, use `retry`.',
  },
  'key-without-effect': {
    title: 'A key has no effect here',
    why: 'This kind of step does not use the key, and Jig never ignores what is written.',
    fix: 'Remove it.',
  },
  'invalid-default': {
    title: 'The default of an input is not one of its values',
    why: 'Jig would refuse the same value at the start of a run.',
    fix: 'Make it fit the type and the `enum` of the input.',
  },
  'unknown-input': {
    title: 'An input is not declared',
    why: 'Unknown inputs are never ignored.',
    fix: 'Correct its spelling, or declare it under `inputs`.',
  },
  'missing-input': {
    title: 'An input is missing',
    why: 'It has no default.',
    fix: 'Give it at the start: `--input NAME=VALUE`.',
  },
  'invalid-input': {
    title: 'An input has a value that is not allowed',
    why: 'It does not fit the declared type or `enum`.',
    fix: 'Give a value as the message says.',
  },
  'answer-keyword': {
    title: 'The schema of an answer uses a keyword that is not allowed here',
    why: 'A pattern is matched against text that a model wrote, and some patterns then keep a worker busy for minutes. A reference can lead to another place, or in a circle.',
    fix: 'Use `enum`, lengths and plain types, and let a `run` step check the rest.',
  },
  'expression-invalid': {
    title: 'An expression cannot be read',
    why: 'It is not CEL, or uses a part of CEL that this language leaves out (regular expressions, bytes, timestamps), or is larger than an expression may be.',
    fix: 'Correct it at the place that the message names. Put program logic in a script that a `run` step calls.',
  },
  'expression-failed': {
    title: 'An expression could not be evaluated',
    why: 'A value had another type than the expression needs, a member was missing (as in a step that was skipped), or a number was not finite, as after a division by zero.',
    fix: 'Check with `has(…)` or `steps.ID.outcome` before you read what may be missing, and convert with `int()`, `double()` or `string()`.',
  },
  'expression-too-costly': {
    title: 'An expression makes or reads too much',
    why: 'An expression is evaluated inside the durable workflow, so its work and the size of its result are bounded.',
    fix: 'Do the work in a `run` step and let the expression read its result.',
  },
  'output-was-cut': {
    title: 'An expression reads an output that was cut',
    why: 'Only the beginning of a large output travels with the run; all of it is in an artifact. A decision on part of an output could be wrong, and nobody would notice.',
    fix: 'Let the command print less, or decide in the command and print the decision.',
  },
} as const satisfies Record<string, ErrorPage>;
