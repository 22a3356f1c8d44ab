/** The sandbox is gone, or is another incarnation than the run's: the step must start from a clean checkout. */
export class SandboxLost extends Error {
  override name = 'SandboxLost';
}

/** A sandbox can't be made on this machine, with what to do about it. */
export class SandboxRefused extends Error {
  override name = 'SandboxRefused';
}
