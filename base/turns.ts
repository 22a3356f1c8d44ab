/** Runs `work` of one key one after the other, in the order it was asked for; other keys don't wait. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** For hosts that look and write in two requests. It orders this process only: between processes the host has the last word. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
