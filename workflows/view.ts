/**
 * What a run shows: the state for queries, the current details and the search attributes for the Temporal UI.
 * The only place that writes any of them, so no step forgets.
 */
import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Usage } from '../model/contract.ts';
import type { StepResult } from './journal.ts';
import type { Phase, RunEnd, RunState, StepRow, Waiting } from './messages.ts';
import { renderDetails } from './details.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

export class RunView {
  state: RunState;
  #shown: { phase: string; needsHuman: boolean; costUsd: number; tokens: number };

  constructor(state: RunState) {
    this.state = state;
    this.#shown = { phase: '', needsHuman: false, costUsd: -1, tokens: -1 };
  }

  /** Goes on from what an earlier execution showed. */
  restore(state: RunState): void {
    this.state = state;
    this.#changed();
  }

  begin(path: string, kind: string, title: string): StepRow {
    const row: StepRow = { path, kind, title, state: 'running', startedAtMs: Date.now() };
    this.state.steps.push(row);
    this.#changed();
    return row;
  }

  finish(
    row: StepRow,
    state: StepRow['state'],
    result: Pick<StepResult, 'note' | 'usage' | 'artifacts'> & Pick<StepRow, 'states'> = {},
  ): void {
    row.state = state;
    row.durationMs = Date.now() - row.startedAtMs;
    if (result.note) row.note = result.note.slice(0, 300);
    if (result.usage) row.usage = result.usage;
    if (result.artifacts) row.artifacts = result.artifacts;
    if (result.states) row.states = result.states;
    this.#changed();
  }

  setItems(path: string, items: number): void {
    const row = this.state.steps.findLast((step) => step.path === path);
    if (row) row.items = items;
    this.#changed();
  }

  setPhase(phase: Phase, waiting?: Waiting): void {
    this.state.phase = phase;
    if (waiting) this.state.waiting = waiting;
    else delete this.state.waiting;
    this.#changed();
    this.#upsert();
  }

  addUsage(usage: Usage): void {
    const sum = this.state.usage;
    this.state.usage = {
      inputTokens: sum.inputTokens + usage.inputTokens,
      cachedInputTokens: sum.cachedInputTokens + usage.cachedInputTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
      costUsd: sum.costUsd + usage.costUsd,
      ...((sum.unpriced ?? usage.unpriced) && { unpriced: true as const }),
    };
    this.#changed();
  }

  failRunning(reason: string): void {
    for (const row of this.state.steps) if (row.state === 'running') this.finish(row, 'failed', { note: reason });
  }

  end(end: RunEnd): void {
    this.state.end = end;
    this.state.endedAtMs = Date.now();
    this.setPhase('ended');
    upsertSearchAttributes([
      { key: keyword('JigOutcome'), value: end.outcome },
      { key: defineSearchAttributeKey('JigNeedsHuman', 'BOOL'), value: end.outcome === 'needs-human' },
    ]);
  }

  #changed(): void {
    this.state.revision += 1;
    setCurrentDetails(renderDetails(this.state));
  }

  /** Search attributes cost an event each time, so only what has changed is written, and only with a phase. */
  #upsert(): void {
    const { phase, waiting, usage } = this.state;
    const now = {
      phase,
      needsHuman: waiting !== undefined,
      costUsd: Math.round(usage.costUsd * 1e6) / 1e6,
      tokens: usage.inputTokens + usage.outputTokens,
    };
    const pairs: SearchAttributeUpdatePair[] = [];
    if (now.phase !== this.#shown.phase) pairs.push({ key: keyword('JigPhase'), value: now.phase });
    if (now.needsHuman !== this.#shown.needsHuman)
      pairs.push({ key: defineSearchAttributeKey('JigNeedsHuman', 'BOOL'), value: now.needsHuman });
    if (now.costUsd !== this.#shown.costUsd)
      pairs.push({ key: defineSearchAttributeKey('JigCostUsd', 'DOUBLE'), value: now.costUsd });
    if (now.tokens !== this.#shown.tokens)
      pairs.push({ key: defineSearchAttributeKey('JigTokens', 'INT'), value: now.tokens });
    this.#shown = now;
    if (pairs.length > 0) upsertSearchAttributes(pairs);
  }
}
