/** The outside of one case, in memory: its sandboxes, its branch, its model, and a ledger of all effects. */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { editText } from '../../agent/edit-text.ts';
import type { ArtifactRef, ArtifactStore } from '../../artifacts/contract.ts';
import { JigError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import type { SandboxRef } from '../../sandbox/contract.ts';
import type { UndoEdit } from '../../activities/edit-contract.ts';
import { createArtifactsInMemory } from './artifacts-in-memory.ts';
import { cleaningUp, goingOn, type Case, type Moment, type Told } from './case.ts';
import { describeQuestion, type Question } from './scripted-model.ts';

export type Files = Record<string, string>;

interface Box {
  files: Files;
  /** Requests and results by key: a key names one effect. */
  done: Map<string, { request: string; result: unknown }>;
}

export class World {
  readonly case: Case;
  readonly artifacts: ArtifactStore = createArtifactsInMemory();
  readonly boxes = new Map<string, Box>();
  readonly commits = new Map<string, { files: Files; parent: string }>();
  /** All effects, in order. */
  readonly ledger: string[] = [];
  /** The result of each message: `accepted`, or the code of the refusal. */
  readonly told: string[] = [];
  /** What must never happen. */
  readonly violations: string[] = [];
  /** For each sandbox that was lost, whether the run came back on a copy. */
  readonly losses: { onCopy?: boolean }[] = [];
  readonly branch: string[] = [];
  readonly base: string;
  changes = 0;
  questions = 0;
  evidence: Json = null;
  /** What happened at moments that can't be predicted. */
  unforeseen = { cancelled: false, refused: false };
  /** Sends a message to the run; answers the open questions. */
  tell: (told: Told) => Promise<string> = async () => 'untold';
  answerOpen: () => Promise<void> = async () => undefined;
  #active = 0;
  #lastActiveMs = Date.now();
  #activities = 0;
  readonly #times = new Map<string, number>();
  readonly #moments = new Map<string, Moment | undefined>();

  constructor(ofCase: Case) {
    this.case = ofCase;
    this.base = this.commit(ofCase.files, '');
  }

  /** Every activity passes here: some results are lost on the way. */
  async act<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#active += 1;
    const isLost = this.case.lostResults.includes((this.#activities += 1));
    try {
      const result = await work();
      if (isLost) throw new JigError('model-unavailable', 'the result was lost', { retryable: true, retryAfterMs: 1 });
      return result;
    } finally {
      this.#active -= 1;
      this.#lastActiveMs = Date.now();
    }
  }

  /** Whether nothing seems to go on. */
  async untilQuiet(ms: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.#active > 0 || Date.now() - this.#lastActiveMs < ms)) await wait(ms / 2);
  }

  /** Does the work once for each key. */
  async once<Result>(box: Box, key: string, request: unknown, work: () => Promise<Result>): Promise<Result> {
    const text = JSON.stringify(request);
    const known = box.done.get(key);
    if (known && known.request !== text) this.violations.push(`${key} names ${known.request} and ${text}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was put there under this key
    if (known) return known.result as Result;
    const result = await work();
    box.done.set(key, { request: text, result });
    return result;
  }

  /** What happens at the n-th command or question of a step. The same key gives the same again. */
  async meet(key: string, path: string): Promise<Moment | undefined> {
    if (this.#moments.has(key)) return this.#moments.get(key);
    const time = (this.#times.get(path) ?? 0) + 1;
    this.#times.set(path, time);
    const moment = this.case.moments.find((each) => each.path === path && each.time === time);
    this.#moments.set(key, moment);
    if (moment?.tells) await this.#tell(moment.tells);
    return moment;
  }

  async #tell(told: Told): Promise<void> {
    const result = await this.tell(told);
    this.told.push(`${told.kind} ${result}`);
    // A cancelled run waits for the activity, so the activity goes on only when it has been cancelled.
    if (told.kind === 'cancel' && result === 'accepted') await Context.current().cancelled.catch(() => undefined);
  }

  /** The run's end is decided, so every message is refused. */
  async cleanUp(id: string): Promise<void> {
    // A run that goes on removes the sandbox that it lost.
    if (!this.boxes.delete(id)) return;
    const { moments, releaseAfterMs } = this.case;
    const tells = moments.find(({ path }) => path === cleaningUp)?.tells;
    if (!tells || id.includes('-gate') || releaseAfterMs < 1000) return;
    const result = await this.tell(tells);
    if (result !== 'run-ended') this.violations.push(`${tells.kind} gave ${result} while the run cleaned up`);
  }

  async goOn(key: string): Promise<void> {
    if (this.#moments.has(key)) return;
    const moment = await this.#meetGoingOn(key);
    if (this.case.answersWhileGoingOn) await this.answerOpen();
    if (moment?.breaks !== 'store') return;
    this.unforeseen.refused = true;
    throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  }

  async #meetGoingOn(key: string): Promise<Moment | undefined> {
    const time = (this.#times.get(goingOn) ?? 0) + 1;
    this.#times.set(goingOn, time);
    const moment = this.case.moments.find((each) => each.path === goingOn && each.time === time);
    this.#moments.set(key, moment);
    if (!moment?.tells) return moment;
    const { kind } = moment.tells;
    const result = await this.tell(moment.tells);
    const expected = kind === 'approve' ? 'nothing-to-decide' : 'accepted';
    if (result !== expected) this.violations.push(`${kind} gave ${result} while the run continued as a new execution`);
    if (kind === 'cancel') this.unforeseen.cancelled = true;
    return moment;
  }

  get isQuestionUnusable(): (key: string) => boolean {
    return (key) => this.#moments.get(key)?.breaks === 'unusable';
  }

  asked(question: Question): void {
    this.questions += 1;
    this.ledger.push(describeQuestion(question));
  }

  make(id: string, commit: string): void {
    if (this.boxes.has(id)) return;
    const last = this.losses.at(-1);
    if (last) last.onCopy ??= id.includes('-back-');
    this.boxes.set(id, { files: { ...this.commits.get(commit)?.files }, done: new Map() });
  }

  /** @throws JigError `sandbox-lost` */
  box({ id }: SandboxRef): Box {
    const box = this.boxes.get(id);
    if (!box) throw new JigError('sandbox-lost', `There is no sandbox ${id}`);
    return box;
  }

  lose({ id }: SandboxRef): never {
    this.boxes.delete(id);
    this.losses.push({});
    throw new JigError('sandbox-lost', `The sandbox ${id} is lost`);
  }

  /** Runs one of a few commands, and returns its exit code. */
  run({ files }: Box, argv: string[]): number {
    this.ledger.push(argv.join(' '));
    return runCommand(files, argv);
  }

  edit({ files }: Box, edit: { path: string; old: string; new: string }): { before: string; after: string } {
    const before = files[edit.path] ?? '';
    const edited = editText(before, edit);
    if ('error' in edited) throw new JigError('edit-refused', edited.error);
    files[edit.path] = edited.text;
    this.ledger.push(`edit ${edit.old} ${edit.new}`);
    return { before, after: edited.text };
  }

  async undo({ files }: Box, { path, before, afterSha256, ...edit }: UndoEdit): Promise<void> {
    const text = files[path] ?? '';
    const reversed = editText(text, { old: edit.new, new: edit.old });
    this.ledger.push(`undo ${edit.new} ${edit.old}`);
    if (sha256(text) === afterSha256) files[path] = Buffer.from(await this.artifacts.get(before)).toString();
    else if ('error' in reversed) throw new JigError('edit-not-undone', reversed.error);
    else files[path] = reversed.text;
  }

  commit(files: Files, parent: string): string {
    const sorted = Object.fromEntries(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const hash = sha256(`${parent} ${JSON.stringify(sorted)}`).slice(0, 40);
    this.commits.set(hash, { files: sorted, parent });
    return hash;
  }

  /** @throws JigError `foreign-commits` if the branch has moved */
  push(commit: string, expected: string | undefined): void {
    if (this.branch.at(-1) === commit) return;
    if (this.branch.at(-1) !== expected) throw new JigError('foreign-commits', `The branch is not at ${expected}`);
    this.branch.push(commit);
    this.ledger.push('push');
  }

  async keep(value: Json): Promise<ArtifactRef> {
    return this.artifacts.put(Buffer.from(JSON.stringify(value)), 'application/json');
  }
}

export function runCommand(files: Files, [name = '', file = '', word = '']: string[]): number {
  const lines = (files[file] ?? '').split('\n').filter((line) => line !== '');
  if (name === 'lines') return lines.length >= Number(word) ? 0 : 1;
  if (name !== 'append') return 127;
  files[file] = [...lines, word, ''].join('\n');
  return 0;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
