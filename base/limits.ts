import pLimit, { type LimitFunction } from 'p-limit';

/**
 * Runs `work` when its key has room. Work of the same key runs in the order of the calls; other keys don't wait.
 * Rejects if `work` does.
 */
export type LimitByKey = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Limits the work of each key in this process to `atOnce` pieces at the same time. */
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
