/** Being asked to stop: once means end in order, once more means now. */
import { constants } from 'node:os';

/** Signals that come this close together are one: a terminal's Ctrl-C reaches this process twice through its parent. */
const samePressMs = 500;

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Lets go of the signals. */
  close(): void;
}

/** Aborts at the first SIGINT, SIGTERM or SIGHUP; a second press ends the process at once. */
export function onStop(): StopSignal {
  const stopping = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let firstAtMs: number | undefined;
  const stop = (name: (typeof names)[number]): void => {
    firstAtMs ??= Date.now();
    if (!stopping.signal.aborted) stopping.abort(name);
    else if (Date.now() - firstAtMs > samePressMs) process.exit(128 + constants.signals[name]);
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: stopping.signal,
    close() {
      for (const name of names) process.off(name, stop);
    },
  };
}

/** Resolves when the signal has aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
