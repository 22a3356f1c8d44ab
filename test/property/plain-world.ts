/** The effects of a run in the plain model of the language: files, gates, pushes and records. */
import { heardIn, type Case, type Moment, type Told } from './case.ts';
import { describeQuestion, type Question } from './scripted-model.ts';
import { runCommand, type Files } from './world.ts';

export interface End {
  outcome: string;
  code?: string;
}

export interface Prediction {
  end: End;
  /** All effects, in order. */
  ledger: string[];
  /** The files of each push. */
  pushed: Files[];
  /** Steps with how they ended, and checks with what they decided. */
  rows: string[];
  checks: string[];
  /** The result of each message. */
  told: string[];
  /** What can be predicted: everything, only the end, or not even that. */
  sure: 'all' | 'end' | 'nothing';
  /** Whether the order of the effects can be predicted. */
  isOrdered: boolean;
  violations: string[];
}

export interface Edit {
  order: number;
  old: string;
  new: string;
}

const refusals: Partial<Record<Told['kind'], string>> = {
  resume: 'not-paused',
  approve: 'nothing-to-decide',
  steer: 'nothing-to-steer',
};

export class PlainWorld {
  readonly case: Case;
  readonly prediction: Prediction = {
    end: { outcome: 'succeeded' },
    ledger: [],
    pushed: [],
    rows: [],
    checks: [],
    told: [],
    sure: 'all',
    isOrdered: true,
    violations: [],
  };
  isCancelled = false;
  /** Whether nothing has changed since the run last waited, so that it may have a copy of its sandbox. */
  isAsCopied = false;
  #isPauseAsked = false;
  #files: Files;
  #gates: { path: string; command: string }[] = [];
  #edits = 0;
  readonly #times = new Map<string, number>();

  constructor(ofCase: Case) {
    this.case = ofCase;
    this.#files = { ...ofCase.files };
  }

  beginAnew(): void {
    this.#files = { ...this.case.files };
    this.#gates = [];
    this.prediction.checks = [];
    this.isAsCopied = false;
  }

  row(path: string, state: string): void {
    this.prediction.rows.push(`${path} ${state}`);
  }

  loosen(to: 'end' | 'nothing'): void {
    if (this.prediction.sure !== 'nothing') this.prediction.sure = to;
  }

  /** What follows depends on something that can't be predicted. */
  goOnUnsurely(): void {
    if (this.prediction.sure === 'end') this.prediction.sure = 'nothing';
  }

  /** A run may stop between two steps. */
  checkpoint(): void {
    if (this.#isPauseAsked) this.isAsCopied = true;
    this.#isPauseAsked = false;
  }

  /** What happens at this moment. A message of this moment is sent at once. */
  meet(path: string, isAtOnce: boolean): { breaks: Moment['breaks']; heard: string[] } {
    const time = (this.#times.get(path) ?? 0) + 1;
    this.#times.set(path, time);
    const { tells, breaks } = this.case.moments.find((each) => each.path === path && each.time === time) ?? {};
    const heard = tells?.kind === 'steer' && tells.step === path ? heardIn(tells.text ?? '') : [];
    if (tells?.kind === 'cancel') {
      this.isCancelled = true;
      if (isAtOnce) this.loosen('end');
    }
    this.#isPauseAsked ||= tells?.kind === 'pause';
    const refusal = tells && heard.length === 0 ? refusals[tells.kind] : undefined;
    if (tells) this.prediction.told.push(`${tells.kind} ${refusal ?? 'accepted'}`);
    return { breaks, heard };
  }

  ask(question: Question): void {
    this.prediction.ledger.push(describeQuestion(question));
  }

  /** Returns an exit code. */
  run(argv: string[]): number {
    this.prediction.ledger.push(argv.join(' '));
    this.isAsCopied = false;
    return runCommand(this.#files, argv);
  }

  remember(path: string, gates: string[][]): void {
    this.#gates.push(...gates.map((argv) => ({ path, command: argv.join(' ') })));
  }

  /** A step that is done again sets its gates again. */
  forgetGates(path: string): void {
    this.#gates = this.#gates.filter((gate) => gate.path !== path && !gate.path.startsWith(`${path}[`));
  }

  /** Runs all of the commands, also after one has failed. */
  decide(path: string, commands: string[][], isLast: boolean): boolean {
    const passed = commands.map((argv) => {
      const isPassed = this.run(argv) === 0;
      // It might be flaky.
      if (!isPassed && isLast) this.run(argv);
      this.prediction.checks.push(`${path} ${argv.join(' ')} ${isPassed}`);
      return isPassed;
    });
    return passed.every(Boolean);
  }

  /** Returns undefined if the page doesn't have the text. */
  edit(old: string, replacement: string): Edit | undefined {
    const page = this.#files['page'] ?? '';
    if (!page.includes(old)) return undefined;
    this.#files['page'] = page.replace(old, replacement);
    this.prediction.ledger.push(`edit ${old} ${replacement}`);
    this.isAsCopied = false;
    return { order: (this.#edits += 1), old, new: replacement };
  }

  /** The newest first. */
  takeBack(path: string, edits: Edit[]): void {
    if (edits.length === 0) return;
    for (const edit of edits.toSorted((a, b) => b.order - a.order)) {
      this.#files['page'] = (this.#files['page'] ?? '').replace(edit.new, edit.old);
      this.prediction.ledger.push(`undo ${edit.new} ${edit.old}`);
    }
    this.isAsCopied = false;
    this.row(`${path}/undo`, 'succeeded');
  }

  /** Makes the work a commit on the one branch, unless it is already there. */
  change(path: string, gate: 'clean' | 'spared'): 'pushed' | 'same' | 'nothing' | 'refused' {
    const { pushed, ledger } = this.prediction;
    this.isAsCopied = false;
    const last = pushed.at(-1) ?? this.case.files;
    if (textOf(this.#files) === textOf(last)) return pushed.length > 0 ? 'same' : 'nothing';
    if (gate === 'clean' && this.#gates.length > 0) {
      const gates = [...new Set(this.#gates.map(({ command }) => command))].map((each) => each.split(' '));
      const isPassed = this.decide(`${path}/gate`, gates, true);
      this.row(`${path}/gate`, isPassed ? 'succeeded' : 'failed');
      if (!isPassed) return 'refused';
    }
    ledger.push('push');
    pushed.push({ ...this.#files });
    return 'pushed';
  }
}

export const textOf = (files: Files): string =>
  JSON.stringify(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));
