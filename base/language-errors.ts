/** The failures of the language, in the order in which a reader of a blueprint meets them. */
import type { ErrorPage } from './errors.ts';

export const languageErrors = {
  'blueprint-invalid': {
    title: 'A blueprint has problems',
    why: 'A run starts only if its blueprint has no problems. Each problem is listed with its own code, file, line and column.',
    fix: 'Fix what the list names. `jig check FILE` shows the list again.',
  },
  'blueprint-too-large': {
    title: 'A blueprint is larger than 256 KB',
    why: 'A blueprint travels with each of its runs, so its size is limited.',
    fix: 'Move scripts and long texts into files beside `blueprint.yaml`, and call them in a `run` step with `${{ blueprint.path }}`.',
  },
  'blueprint-not-text': {
    title: 'A blueprint is not a text file',
    why: 'It contains a NUL character or bytes that are not UTF-8.',
    fix: 'Save the file as UTF-8. The message names the first line that is not.',
  },
  'blueprint-nested-too-deep': {
    title: 'A blueprint is nested too deeply',
    why: 'Lists and maps may be nested at most 64 levels deep, so that no program runs out of memory when it reads them.',
    fix: 'Flatten it. If it is the JSON Schema of an answer, ask for less in one answer.',
  },
  'blueprint-file-refused': {
    title: 'A file can’t be part of a blueprint’s folder',
    why: 'One hash pins all files of the folder, and each sandbox of the run gets a copy of them. So each must be a regular file, not a link or a device, and its path must mean the same on every machine: UTF-8 in Unicode normal form C, without control characters or backslashes, and not the same as another path but for upper and lower case.',
    fix: 'Rename or remove the file that the message names, or replace the link by a copy. If the file must stay, give it a name that begins with a dot: Jig leaves such files out.',
  },
  'blueprint-folder-too-large': {
    title: 'The folder of a blueprint is too large',
    why: 'Each run and each of its sandboxes gets a copy of the files, so their number and size are limited. A worker that keeps its data on another machine gets them inside the start request, which has a lower limit.',
    fix: 'Move what the programs do not need out of the folder. Put large tools into the sandbox’s image, or install them in `setup`. To use the higher limit, start the run on the machine where `jig up` runs.',
  },
  'yaml-syntax': {
    title: 'The text is not one YAML document',
    why: 'A blueprint must be exactly one document of YAML 1.2.',
    fix: 'Correct the place that the message names. Put quotes around text that contains `: ` or ` #`.',
  },
  'yaml-feature': {
    title: 'The text uses a part of YAML that blueprints can’t use',
    why: 'With anchors, aliases, tags and directives, a text depends on what is written elsewhere, and a small document can grow without limit.',
    fix: 'Write the value out where it is used.',
  },
  'yaml-duplicate-key': {
    title: 'A key appears twice in the same map',
    why: 'One of the two values would be lost silently.',
    fix: 'Remove one, or merge them.',
  },
  'unknown-key': {
    title: 'A key is not part of the language',
    why: 'Jig never ignores a key that it doesn’t know: with a misspelt `timeout`, a step would have no timeout.',
    fix: 'Correct its spelling. docs/reference/blueprint.md lists the keys of each step.',
  },
  'missing-key': {
    title: 'A key is missing',
    why: 'The key is required here.',
    fix: 'Add it.',
  },
  'wrong-type': {
    title: 'A value has the wrong type',
    why: 'Jig doesn’t convert values: `"10"` is not 10.',
    fix: 'Write the value as the message says.',
  },
  'wrong-value': {
    title: 'A value is not allowed',
    why: 'It is outside the limits of its key, doesn’t match its pattern, or is not one of its words.',
    fix: 'Write a value as the message says. Durations look like `90s`, `10m` or `2h`.',
  },
  'unknown-step': {
    title: 'A step is of an unknown kind',
    why: 'A step has exactly one action key, such as `run`, `check`, `agent` or `change`, and this one is not among them.',
    fix: 'Correct its spelling. docs/reference/blueprint.md lists the kinds.',
  },
  'step-without-action': {
    title: 'A step does nothing',
    why: 'A step has exactly one action key, such as `run`, `check`, `agent` or `change`.',
    fix: 'Add the action key, or remove the step.',
  },
  'step-with-many-actions': {
    title: 'A step does several things',
    why: 'A step has exactly one action key, so that it succeeds or fails as one.',
    fix: 'Write one step for each action.',
  },
  'step-not-available': {
    title: 'This version does not have this kind of step',
    why: 'The word is reserved for a later version.',
    fix: 'Use the kinds of step that docs/reference/blueprint.md lists.',
  },
  'duplicate-id': {
    title: 'Two steps have the same id',
    why: '`steps.ID` could mean either of them.',
    fix: 'Rename one. An id must be unique in the whole blueprint, inside `each` too.',
  },
  'reserved-name': {
    title: 'A name already means something else',
    why: 'In expressions, it is a word of the expression language, or another name that can be read there.',
    fix: 'Choose another name.',
  },
  'unknown-reference': {
    title: 'An expression reads something that does not exist',
    why: 'The step, input, output or name is not declared, or the step has no such output.',
    fix: 'Correct its spelling. docs/reference/blueprint.md lists the outputs of each kind of step.',
  },
  'forward-reference': {
    title: 'An expression reads a step that comes later',
    why: 'Steps run in order, so a later step has no outputs yet.',
    fix: 'Move the step, or read another step.',
  },
  'hidden-reference': {
    title: 'An expression outside an `each` reads a step inside it',
    why: 'That step runs once for each item, so it has many outputs, or none.',
    fix: 'Read the `each` step itself (`count`, `succeeded`, `failed`), or move the expression’s step inside.',
  },
  'expression-type': {
    title: 'The types in an expression do not match',
    why: 'Types are checked before the run starts. For example, an `int` never equals a `string`.',
    fix: 'Compare values of the same type, or convert them with `int()`, `double()` or `string()`.',
  },
  'template-in-shell': {
    title: '`${{ }}` is used in a shell script',
    why: 'A shell would execute the value: a title such as `$(id)` would run a command.',
    fix: 'Pass the value through `env:` and read it as "$NAME", or write the command as a list of words, which needs no shell.',
  },
  'template-not-here': {
    title: '`${{ }}` is used where it is not evaluated',
    why: 'This key is not a template, or is read before there are values, so the text would be used literally.',
    fix: 'Write a plain value, or move the expression to a key that evaluates it.',
  },
  'change-unchecked': {
    title: 'No check decides on a change',
    why: 'Nothing but a person would notice that the change is wrong. The blueprint can run, but its change is a draft that says `unchecked` first, and `jig runs` shows `unchecked` in place of `succeeded`. A `check` with `gate: baseline` only records; a check whose test runner runs no test doesn’t decide either, nor does one that only fails as it did before.',
    fix: 'Put a `check` step before the `change` step, or `verify` in the agent step. Even a build or a linter is better than nothing.',
  },
  'agent-unchecked': {
    title: 'No check decides on what an agent does',
    why: 'The agent has no `verify`, and no `check` comes after it. The model alone says whether its work is done.',
    fix: 'Add `verify` with the commands that decide, or a `check` step after the agent step.',
  },
  'attempts-without-verify': {
    title: '`attempts` needs `verify`',
    why: 'Only the commands in `verify` can tell that an attempt failed.',
    fix: 'Add `verify`, or remove `attempts`.',
  },
  'unreachable-step': {
    title: 'A step can never run',
    why: 'There is an `end` without a condition before it.',
    fix: 'Give the `end` an `if`, or remove what follows it.',
  },
  'each-too-deep': {
    title: '`each` is nested more than twice',
    why: 'Deeper loops are program logic. They belong in a script.',
    fix: 'Let a `run` step print one flat list.',
  },
  'too-many-steps': {
    title: 'A blueprint has more than 1,000 steps',
    why: 'People read a blueprint, and one history stores its whole run.',
    fix: 'Use `each` over a list, or split the blueprint.',
  },
  'not-inside-each': {
    title: 'This kind of step cannot be inside an `each`',
    why: 'The steps of an `each` run once for each item, but a change, its CI and the end happen once in a run.',
    fix: 'Move it after the `each` step.',
  },
  'continue-after-side-effect': {
    title: '`on-failure: continue` is not allowed here',
    why: 'The step acts outside the sandbox. If it fails, it is unclear whether it had its effect, so the run must not go on.',
    fix: 'Remove it.',
  },
  'key-without-effect': {
    title: 'A key has no effect here',
    why: 'This kind of step does not use the key, and Jig never ignores a key silently.',
    fix: 'Remove it.',
  },
  'invalid-default': {
    title: 'The default of an input is not an allowed value',
    why: 'Jig would refuse the same value if it were given at the start of a run.',
    fix: 'Change it so that it fits the `type` and `enum` of the input.',
  },
  'unknown-input': {
    title: 'An input is not declared',
    why: 'Jig never ignores an input that the blueprint doesn’t declare.',
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
    title: 'Answers can’t be held to a schema',
    why: 'Answers are checked by Ajv in its strict mode, so a word that is misspelt, or a keyword that would have no effect (such as `required` without `type: object`), is refused before a model is paid. Some keywords are not allowed: some patterns keep a worker busy for minutes when they are matched against a model’s text, and a reference can point elsewhere, or to itself.',
    fix: 'Write `type` wherever the message asks for it. Use `enum`, lengths and plain types, and let a `run` step check the rest.',
  },
  'expression-invalid': {
    title: 'An expression is not valid',
    why: 'It is not CEL, uses a part of CEL that blueprints don’t have (regular expressions, bytes, timestamps), or is too large.',
    fix: 'Correct it at the place that the message names. Put program logic into a script, and call it in a `run` step.',
  },
  'expression-failed': {
    title: 'An expression could not be evaluated',
    why: 'A value had the wrong type, a member was missing (as in a step that was skipped), or a number was not finite (as after a division by zero).',
    fix: 'Check with `has(…)` or `steps.ID.outcome` before you read what may be missing, and convert with `int()`, `double()` or `string()`.',
  },
  'expression-too-costly': {
    title: 'An expression does too much work',
    why: 'Expressions are evaluated inside the workflow, so their work and the size of their results are limited.',
    fix: 'Do the work in a `run` step, and read its result in the expression.',
  },
  'output-was-cut': {
    title: 'An expression reads an output that was cut off',
    why: 'The run has only the beginning of a large output; the whole output is in an artifact. A decision based on part of an output could be wrong, and nobody would notice.',
    fix: 'Let the command print less, or decide in the command and print the decision.',
  },
} as const satisfies Record<string, ErrorPage>;
