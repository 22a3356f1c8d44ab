/**
 * A few execs at a time are started in one container, for some runtimes stumble over many: beyond some twenty at once,
 * containerd 1.6 takes a second for each, whatever the machine has to spare.
 */
const maxStarting = 8;

interface Queue {
  starting: number;
  waiting: (() => void)[];
}

/** Of the pods in which this process starts something right now. */
const queues = new Map<string, Queue>();

/** Waits for a turn to start an exec in a pod; it is over when what is returned is called. */
export async function takeStartingTurn(pod: string): Promise<() => void> {
  const queue = queues.get(pod) ?? { starting: 0, waiting: [] };
  queues.set(pod, queue);
  if (queue.starting < maxStarting) queue.starting++;
  else await new Promise<void>((resolve) => queue.waiting.push(resolve));
  let over = false;
  return () => {
    if (over) return;
    over = true;
    const next = queue.waiting.shift();
    // The turn is the next one's.
    if (next) next();
    else if (--queue.starting === 0) queues.delete(pod);
  };
}
