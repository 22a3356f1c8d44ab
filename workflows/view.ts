/**
 * What a run shows: the state for queries, and the current details and search attributes for the Temporal UI. This is
 * the only place that writes any of them, so no step can forget.
 */
import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Usage } from '../model/contract.ts';
import type { RunMemory } from './memory.ts';
import type { Conversation, Phase, Question, RunEnd, RunState, StepRow } from './messages.ts';
import { renderDetails } from './details.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

/**
 * How many rows the state shows at most. If there are more, it shows rows outside of items and the newest others. The
 * evidence has all of them.
 */
const maxShownRows = 1500;

const isInItem = ({ path }: StepRow): boolean => path.includes('[');

/** Keeps and shows a run's state. */
export class RunView {
  readonly #memory: Pick<RunMemory, 'shown'>;
  #shown = { phase: '', needsHuman: false, costUsd: -1, tokens: -1 };
  /** How many steps wait for CI. */
  #ciWaits = 0;
  /** What prompts at work ask, by their path. */
  readonly #asking = new Map<string, Conversation['say']>();
  /** Rows that an earlier execution began, by path. */
  readonly #begun = new Map<string, StepRow>();

  constructor(memory: Pick<RunMemory, 'shown'>) {
    this.#memory = memory;
  }

  get state(): RunState {
    return this.#memory.shown;
  }

  /** The state for a query, no larger than an answer may be. */
  get answer(): RunState {
    const { steps, ...state } = this.state;
    if (steps.length <= maxShownRows) return this.state;
    const kept = new Set(steps.filter((row) => !isInItem(row) || row.state === 'running').slice(-maxShownRows));
    for (const row of steps.toReversed()) {
      if (kept.size >= maxShownRows) break;
      kept.add(row);
    }
    return { ...state, steps: steps.filter((row) => kept.has(row)), omittedSteps: steps.length - kept.size };
  }

  /** Prepares to go on from what an earlier execution showed. */
  restored(): void {
    for (const row of this.state.steps) if (row.state === 'running') this.#begun.set(row.path, row);
    this.#changed();
  }

  /** Begins a row, or goes on with the row that an earlier execution began. */
  begin(path: string, kind: string, title: string): StepRow {
    const { steps } = this.state;
    const begun = this.#begun.get(path);
    this.#begun.delete(path);
    if (begun) return begun;
    const row: StepRow = { number: steps.length + 1, path, kind, title, state: 'running', startedAtMs: Date.now() };
    steps.push(row);
    this.#changed();
    return row;
  }

  finish(row: StepRow, state: StepRow['state'], result: Pick<StepRow, 'note' | 'usage' | 'states'> = {}): void {
    row.state = state;
    row.durationMs = Date.now() - row.startedAtMs;
    if (result.note) row.note = result.note.slice(0, 300);
    if (result.usage) row.usage = result.usage;
    if (result.states) row.states = result.states;
    this.#changed();
  }

  /** Shows where a step's outputs and its conversation are kept, as soon as that is known, however the step ends. */
  keep(path: string, { artifacts, ...more }: Pick<StepRow, 'artifacts' | 'workflowId'>): void {
    const row = this.state.steps.findLast((step) => step.path === path);
    if (!row || Object.keys({ ...artifacts, ...more }).length === 0) return;
    Object.assign(row, more);
    if (artifacts) row.artifacts = { ...row.artifacts, ...artifacts };
    this.#changed();
  }

  /** Shows what a prompt is asking now, while `work` goes on. */
  async whileAsking<Result>(path: string, say: Conversation['say'], work: () => Promise<Result>): Promise<Result> {
    this.#asking.set(path, say);
    try {
      return await work();
    } finally {
      this.#asking.delete(path);
    }
  }

  /** What a prompt was answered so far, and what it is asking now. */
  conversation(path: string): Conversation | undefined {
    const say = this.#asking.get(path);
    const transcript = this.state.steps.findLast((step) => step.path === path)?.artifacts?.['transcript'];
    return say && { say, ...(transcript && { transcript }) };
  }

  setItems(path: string, items: number): void {
    const row = this.state.steps.findLast((step) => step.path === path);
    if (row) row.items = items;
    this.#changed();
  }

  setPhase(phase: Phase): void {
    this.state.phase = phase;
    this.#changed();
    this.#upsert();
  }

  /** Opens a question, or finds it if an earlier execution opened it. */
  ask(question: Question): Question {
    const { questions } = this.state;
    const open = questions.find(({ id }) => id === question.id);
    if (open) return open;
    questions.push(question);
    this.showWork();
    return question;
  }

  closeQuestion(id: string): void {
    const { questions } = this.state;
    const left = questions.filter((question) => question.id !== id);
    if (left.length === questions.length) return;
    this.state.questions = left;
    this.showWork();
  }

  /** Shows that the run waits for CI while `work` goes on. */
  async whileCi<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#ciWaits += 1;
    this.showWork();
    try {
      return await work();
    } finally {
      this.#ciWaits -= 1;
      this.showWork();
    }
  }

  /** Shows the phase of a run that is at its steps: what it waits for, if anything. */
  showWork(): void {
    const { phase, questions } = this.state;
    if (phase === 'cleaning-up' || phase === 'ended') return;
    if (questions.some(({ kind }) => kind === 'paused')) this.setPhase('paused');
    else if (questions.length > 0) this.setPhase('waiting-for-human');
    else this.setPhase(this.#ciWaits > 0 ? 'waiting-for-ci' : 'running');
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
    this.state.questions = [];
    this.state.end = end;
    this.state.endedAtMs = Date.now();
    this.setPhase('ended');
    // Lists tell it apart from a success that was decided by a check.
    const isUnchecked = end.outcome === 'succeeded' && this.state.change?.unchecked === true;
    upsertSearchAttributes([
      { key: keyword('JigOutcome'), value: isUnchecked ? 'unchecked' : end.outcome },
      { key: defineSearchAttributeKey('JigNeedsHuman', 'BOOL'), value: end.outcome === 'needs-human' },
    ]);
  }

  #changed(): void {
    this.state.revision += 1;
    setCurrentDetails(renderDetails(this.state));
  }

  /** Each write of search attributes costs an event, so only changes are written, and only together with a phase. */
  #upsert(): void {
    const { phase, questions, usage } = this.state;
    const now = {
      phase,
      needsHuman: questions.length > 0,
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
