import { JigError, type ErrorCode } from '../base/errors.ts';

/** The sandbox is gone, or is not the one that the run had. The step must start from a clean checkout. */
export class SandboxLost extends JigError {
  override name = 'SandboxLost';
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('sandbox-lost', message, options);
  }
}

/** A sandbox can't be made on this machine. The message says how to fix it. */
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

/** A provider could not make a sandbox. The message gives the provider's own reason. */
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

/** A command's words or environment are too long to start a process with. */
export class CommandTooLong extends JigError {
  override name = 'CommandTooLong';
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('command-too-long', message, options);
  }
}
