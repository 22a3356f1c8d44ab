import type { ErrorCode } from '../base/errors.ts';

/** A forge said no, or could not be asked; `retryable` where asking again can mend it. */
export class ForgeFailure extends Error {
  override name = 'ForgeFailure';
  readonly kind: 'not-found' | 'moved' | 'unauthorized' | 'unavailable' | 'conflict' | 'refused';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  constructor(
    kind: ForgeFailure['kind'],
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.code = `forge-${kind}`;
    this.retryable = options.retryable ?? kind === 'unavailable';
    this.retryAfterMs = options.retryAfterMs;
  }
}
