/**
 * What has been done, in a run's memory. The interpreter walks the blueprint from the top and skips what is recorded.
 * So going on as a new execution, or after a step was sent back, is the same walk with other records.
 *
 * A step's key names its effects. It consists of the key of the item that the step is in, the step's id and its round.
 * An item's key includes its block's key, so sending back a block gives new keys to everything inside it.
 */
import { stepPath } from '../blueprints/steps.ts';
import type { EditUndo, RunMemory, StepRecord } from './memory.ts';

/** One item of a block, for steps that are not at the top level. */
export interface Item {
  /** The block's path and key. */
  path: string;
  key: string;
  index: number;
  /** What a person said when sending back the block. */
  feedback?: string;
}

/** A step's names: the path for people, the key for its effects. */
export interface StepName {
  path: string;
  /** The key without the step's own round. */
  base: string;
  key: string;
}

/** The names of a step in its present round. */
export function nameStep({ rounds }: Pick<RunMemory, 'rounds'>, id: string, item?: Item): StepName {
  const base = stepPath(item && { path: item.key, index: item.index }, id);
  const round = rounds[base] ?? 0;
  return {
    path: stepPath(item && { path: item.path, index: item.index }, id),
    base,
    key: round === 0 ? base : `${base}#${round + 1}`,
  };
}

export const itemKey = ({ key, index }: Item): string => `${key}[${index}]`;

/** Records how an item ended. It drops the records of the item's steps, except edits that can be undone. */
export function recordItem(memory: RunMemory, item: Item, how: Pick<StepRecord, 'outcome' | 'failure'>): StepRecord {
  const key = itemKey(item);
  const undo = takeInside(memory, `${key}.`);
  const record: StepRecord = { outputs: {}, ...how, ...(undo.length > 0 && { undo }) };
  memory.records[key] = record;
  return record;
}

/**
 * Forgets a step and everything inside it, also the gates that it set, and gives it a new round. Returns the edits that
 * were made in it.
 */
export function forgetStep(memory: RunMemory, { base, key }: StepName): EditUndo[] {
  const own = memory.records[key]?.undo ?? [];
  delete memory.records[key];
  delete memory.feedback[key];
  memory.rounds[base] = (memory.rounds[base] ?? 0) + 1;
  for (const gate of memory.gates)
    gate.steps = gate.steps.filter((step) => step !== key && !step.startsWith(`${key}[`));
  memory.gates = memory.gates.filter(({ steps }) => steps.length > 0);
  return [...own, ...takeInside(memory, `${key}[`)];
}

/** Removes what the memory holds under keys that begin with `start`. Returns the edits of the records among it. */
function takeInside(memory: RunMemory, start: string): EditUndo[] {
  const undo: EditUndo[] = [];
  for (const key of Object.keys(memory.records).filter((each) => each.startsWith(start))) {
    undo.push(...(memory.records[key]?.undo ?? []));
    delete memory.records[key];
  }
  for (const kept of [memory.rounds, memory.feedback, memory.sentBack])
    for (const key of Object.keys(kept)) if (key.startsWith(start)) delete kept[key];
  return undo;
}
