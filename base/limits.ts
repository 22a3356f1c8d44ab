import pLimit, { type LimitFunction } from 'p-limit';

/** Runs `work` when its key has room, in the order it was asked for; other keys don't wait. Rejects as `work` does. */
export type LimitByKey = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** At most `atOnce` pieces of work of one key go on at the same time in this process. */
export function createLimitByKey(atOnce: number): LimitByKey {
  const limits = new Map<string, LimitFunction>();
  return async (key, work) => {
    const limit = limits.get(key) ?? pLimit(atOnce);
    limits.set(key, limit);
    try {
      return await limit(work);
    } finally {
      const isIdle = limit.activeCount + limit.pendingCount === 0;
      if (isIdle && limits.get(key) === limit) limits.delete(key);
    }
  };
}
