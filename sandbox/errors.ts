import { JigError, type ErrorCode } from '../base/errors.ts';

/** The sandbox is gone, or is another incarnation than the run's: the step must start from a clean checkout. */
export class SandboxLost extends JigError {
  override name = 'SandboxLost';
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('sandbox-lost', message, options);
  }
}

/** A sandbox can't be made on this machine, with what to do about it. */
export class SandboxRefused extends JigError {
  override name = 'SandboxRefused';
  constructor(
    message: string,
    {
      code = 'sandbox-refused',
      ...options
    }: { code?: Extract<ErrorCode, `sandbox-${string}`>; hint?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}

/** A sandbox could not be had where sandboxes are made; the text says why in the words of that place. */
export class SandboxUnavailable extends JigError {
  override name = 'SandboxUnavailable';
  constructor(
    code: Extract<ErrorCode, `sandbox-${string}`>,
    message: string,
    { retryable, cause }: { retryable: boolean; cause?: unknown },
  ) {
    super(code, message, { retryable, cause });
  }
}

/** A command's words or environment are longer than a process can be started with. */
export class CommandTooLong extends JigError {
  override name = 'CommandTooLong';
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('command-too-long', message, options);
  }
}
