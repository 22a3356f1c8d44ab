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
