/**
 * The time that a run's budget counts: all of it, except when the whole run waits for people or CI. While one item of a
 * block waits and another works, the time counts.
 */
import type { RunMemory } from './memory.ts';

/** Measures a run's counted time. Every step and every wait goes through it. */
export class Clock {
  readonly #memory: Pick<RunMemory, 'waitedMs' | 'shown'>;
  /** Steps at work, not counting blocks. */
  #steps = 0;
  /** How many of them wait. */
  #waits = 0;
  #idleSinceMs: number | undefined;

  constructor(memory: Pick<RunMemory, 'waitedMs' | 'shown'>) {
    this.#memory = memory;
  }

  /** The run's counted time so far. */
  get elapsedMs(): number {
    const { waitedMs, shown } = this.#memory;
    const idleMs = this.#idleSinceMs === undefined ? 0 : Date.now() - this.#idleSinceMs;
    return Date.now() - shown.startedAtMs - waitedMs - idleMs;
  }

  /** Whether nothing goes on but waiting. */
  get isIdle(): boolean {
    return this.#idleSinceMs !== undefined;
  }

  /** Counts `work` as a step at work. */
  async step<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#change(1, 0);
    try {
      return await work();
    } finally {
      this.#change(-1, 0);
    }
  }

  /** Counts `work` as waiting for a person or for CI. */
  async wait<Result>(work: () => Promise<Result>): Promise<Result> {
    const endWait = this.beginWait();
    try {
      return await work();
    } finally {
      endWait();
    }
  }

  /** Like `wait`, but returns the function that ends the wait. Calling that again does nothing. */
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
