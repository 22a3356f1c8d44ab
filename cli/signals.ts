/** Handles requests to stop: the first means an orderly end, the second an immediate one. */
import { constants } from 'node:os';

/**
 * Signals this close together count as one: Ctrl-C in a terminal reaches this process twice, once through its parent.
 */
const samePressMs = 500;

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Stops listening for signals. */
  close(): void;
}

/** Aborts at the first SIGINT, SIGTERM or SIGHUP. A second one ends the process immediately. */
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

/** Resolves once the signal has aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
