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
  'sandbox-lost': {
    title: 'The sandbox went away while the run needed it',
    why: 'The sandbox was removed, or another one stands under its name. What happened in it since the last completed step is unknown, so nothing is built on it.',
    fix: 'Nothing, usually: the step starts again from a clean checkout where that is safe. If it comes again, look at who removes sandboxes.',
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
