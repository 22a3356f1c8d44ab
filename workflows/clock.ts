/**
 * The time that a run's budget counts: all of it, but for when nothing goes on except waiting for people and CI. Where
 * items of a block go on at once, one that waits doesn't stop the clock for the others.
 */
import type { RunMemory } from './memory.ts';

export class Clock {
  readonly #memory: Pick<RunMemory, 'waitedMs' | 'shown'>;
  /** Steps that go on, blocks aside. */
  #steps = 0;
  /** Those of them that wait. */
  #waits = 0;
  #idleSinceMs: number | undefined;

  constructor(memory: Pick<RunMemory, 'waitedMs' | 'shown'>) {
    this.#memory = memory;
  }

  /** The run's time so far. */
  get elapsedMs(): number {
    const { waitedMs, shown } = this.#memory;
    const idleMs = this.#idleSinceMs === undefined ? 0 : Date.now() - this.#idleSinceMs;
    return Date.now() - shown.startedAtMs - waitedMs - idleMs;
  }

  /** Whether nothing goes on but waiting. */
  get isIdle(): boolean {
    return this.#idleSinceMs !== undefined;
  }

  /** A step that goes on. */
  async step<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#change(1, 0);
    try {
      return await work();
    } finally {
      this.#change(-1, 0);
    }
  }

  /** A step that waits for a person or for CI. */
  async wait<Result>(work: () => Promise<Result>): Promise<Result> {
    const endWait = this.beginWait();
    try {
      return await work();
    } finally {
      endWait();
    }
  }

  /** The same where begin and end stand apart; the end may be said more than once. */
  beginWait(): () => void {
    this.#change(0, 1);
    let isOver = false;
    return () => {
      if (!isOver) this.#change(0, -1);
      isOver = true;
    };
  }

  #change(steps: number, waits: number): void {
    this.#steps += steps;
    this.#waits += waits;
    const isIdle = this.#waits > 0 && this.#waits >= this.#steps;
    if (isIdle) this.#idleSinceMs ??= Date.now();
    else if (this.#idleSinceMs !== undefined) {
      this.#memory.waitedMs += Date.now() - this.#idleSinceMs;
      this.#idleSinceMs = undefined;
    }
  }
}
