/**
 * What has been done, by step path. The interpreter walks the blueprint from the top and skips what the journal holds,
 * so going on after continue-as-new, or after a step was sent back, is the same walk with another journal.
 */
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { Outcome } from '../blueprints/schema.ts';
import type { Usage } from '../model/contract.ts';
import type { Json } from '../base/json.ts';

export interface StepRecord {
  outcome: Extract<Outcome, 'succeeded' | 'failed'> | 'skipped';
  /** What expressions read. */
  outputs: Record<string, Json>;
  /** Names of the outputs that hold only a part: reading one fails. */
  cut?: string[];
}

/** What a step kind gives back to the interpreter. */
export interface StepResult {
  outputs: Record<string, Json>;
  cut?: string[];
  note?: string;
  usage?: Usage;
  artifacts?: Record<string, ArtifactRef>;
}

export class Journal {
  readonly records: Map<string, StepRecord>;
  /** How often a step was sent back; part of its keys, so that it is done again. */
  readonly rounds: Map<string, number>;
  constructor(kept: { records?: [string, StepRecord][]; rounds?: [string, number][] } = {}) {
    this.records = new Map(kept.records);
    this.rounds = new Map(kept.rounds);
  }

  /** The step's path with its round, unique for every time the step is carried out. */
  key(path: string): string {
    const round = this.rounds.get(path) ?? 0;
    return round === 0 ? path : `${path}#${round + 1}`;
  }

  /** Forgets a step and everything inside it. */
  forget(path: string): void {
    this.rounds.set(path, (this.rounds.get(path) ?? 0) + 1);
    for (const key of this.records.keys()) {
      if (key === path || key.startsWith(`${path}[`)) this.records.delete(key);
    }
  }

  toJson(): { records: [string, StepRecord][]; rounds: [string, number][] } {
    return { records: [...this.records], rounds: [...this.rounds] };
  }
}
