/**
 * A provider whose sandboxes live while they are used: each command renews the lease, and a long one renews it again
 * and again.
 */
import type { Sandbox, SandboxProvider } from './contract.ts';

/** Renewals for each lease time, so that a few of them may fail. */
const renewalsPerLease = 8;

/** Adds renewals to a provider. `onError` gets failed renewals; the next renewal is tried at its usual time. */
export function leased<Provider extends SandboxProvider>(
  provider: Provider,
  { leaseMs, onError }: { leaseMs: number; onError: (id: string, error: unknown) => void },
): Provider {
  const renewEveryMs = leaseMs / renewalsPerLease;
  /** When this process last renewed each sandbox, on the clock of `performance`. */
  const renewedAtMs = new Map<string, number>();

  const renew = (id: string): void => {
    const nowMs = performance.now();
    if (nowMs - (renewedAtMs.get(id) ?? -Infinity) < renewEveryMs) return;
    renewedAtMs.set(id, nowMs);
    void provider.renewSandbox(id, leaseMs).then(
      (exists) => exists || renewedAtMs.delete(id),
      (error: unknown) => onError(id, error),
    );
  };
  const renewing = <Kind extends Sandbox>(sandbox: Kind): Kind => ({
    ...sandbox,
    async run(spec, options) {
      const { id } = sandbox.ref;
      renew(id);
      const timer = setInterval(() => renew(id), renewEveryMs);
      try {
        return await sandbox.run(spec, options);
      } finally {
        clearInterval(timer);
      }
    },
  });

  return {
    ...provider,
    async ensureSandbox(spec, signal) {
      const sandbox = await provider.ensureSandbox(spec, signal);
      // A sandbox that was just made has its full lease; one that was found may be near its end.
      const ageMs = Date.now() - Date.parse(sandbox.states.find(({ state }) => state === 'created')?.at ?? '');
      if (ageMs < renewEveryMs) renewedAtMs.set(spec.id, performance.now() - Math.max(ageMs, 0));
      return renewing(sandbox);
    },
    getSandbox: async (ref) => renewing(await provider.getSandbox(ref)),
    async destroySandbox(id) {
      renewedAtMs.delete(id);
      await provider.destroySandbox(id);
    },
  };
}
