import { JigError, type ErrorCode } from '../base/errors.ts';

export type ForgeFailureCode = Exclude<Extract<ErrorCode, `forge-${string}`>, 'forge-unknown'>;

/** A forge refused, or could not be reached. `retryable` says whether asking again may help. */
export class ForgeFailure extends JigError {
  override name = 'ForgeFailure';
  declare readonly code: ForgeFailureCode;
  constructor(
    code: ForgeFailureCode,
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(code, message, { retryable: code === 'forge-unavailable', ...options });
  }
}
