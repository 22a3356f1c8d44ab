/** Decides when a started pod is ready: when a command in it says so. */
import { setTimeout as wait } from 'node:timers/promises';
import { SandboxUnavailable } from '../sandbox/errors.ts';
import { execInPod, type PodContainer } from './exec.ts';

const tryTimeoutMs = 15_000;
const readyTimeoutMs = 60_000;
const retryEveryMs = 200;

/** The script's exit codes and their meanings. */
const complaints: Record<number, string> = {
  40: 'it is not the pod that Jig made',
  41: 'its folders /work, /home/agent, /tmp and /jig are not all writable',
  42: 'its image has no git',
  43: 'its image lacks one of the tools that supervise commands: head, cat, dd, sleep, mkfifo, setsid, sha256sum, env',
};

const script = `
read -r uid </opt/jig/incarnation
[ "$uid" = "$1" ] || exit 40
for folder in /work /home/agent /tmp /jig; do [ -w "$folder" ] || exit 41; done
command -v git >/dev/null || exit 42
for tool in head cat dd sleep mkfifo setsid sha256sum env; do command -v "$tool" >/dev/null || exit 43; done
`;

/** Waits until commands run in the pod. Repeatable. @throws SandboxUnavailable `sandbox-not-ready` */
export async function untilReady(target: PodContainer, uid: string, signal?: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + readyTimeoutMs;
  for (;;) {
    const outcome = await execInPod(target, ['sh', '-c', script, 'jig', uid], {
      deadlineMs: tryTimeoutMs,
      maxBytes: 65_536,
      ...(signal && { signal }),
    });
    signal?.throwIfAborted();
    if (outcome.kind === 'exited' && outcome.code === 0) return;
    // The script's own answer is final. A failure on the way to it may pass.
    const isFinal =
      outcome.kind === 'exited' || (outcome.kind === 'refused' && (outcome.status === 403 || outcome.status === 404));
    if (isFinal || performance.now() > giveUpAt) {
      const why =
        outcome.kind === 'exited'
          ? (complaints[outcome.code] ?? `its first command ended with exit code ${outcome.code}`)
          : outcome.reason;
      throw new SandboxUnavailable(
        'sandbox-not-ready',
        `The pod ${target.pod} started, but commands can't run in it: ${why}`,
        { retryable: !isFinal },
      );
    }
    await wait(retryEveryMs, undefined, { ...(signal && { signal }) });
  }
}
