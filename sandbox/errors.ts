import { JigError } from '../blueprints/errors.ts';

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
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('sandbox-refused', message, options);
  }
}

/** A command's words or environment are longer than a process can be started with. */
export class CommandTooLong extends JigError {
  override name = 'CommandTooLong';
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('command-too-long', message, options);
  }
}
