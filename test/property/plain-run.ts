/**
 * The language, plainly: a blueprint walked from top to bottom by recursion alone. It knows of no key, no journal and no
 * execution. Items that go on at once are carried out one after the other: cases are made so that the order doesn't
 * matter, or the prediction says that it does.
 */
import type { Step } from '../../blueprints/schema.ts';
import { goingOn, heardIn, type Attempt, type Case } from './case.ts';
import { argvOf, fill, isTrue, itemsOf, type Values } from './expressions.ts';
import { PlainWorld, type Edit, type End, type Prediction } from './plain-world.ts';
import { agentCommand, nameIn, promptWord, type Question } from './scripted-model.ts';

class Failed extends Error {}
class Ended extends Error {
  readonly end: End;
  constructor(end: End) {
    super(end.outcome);
    this.end = end;
  }
}
class SentBack extends Error {
  readonly to: string;
  readonly comment: string;
  constructor(to: string, comment: string) {
    super(to);
    this.to = to;
    this.comment = comment;
  }
}
class Lost extends Error {}

/** The place of a list of steps, and of a step. */
interface Around {
  path: string;
  values: Values;
  /** The comment with which the step, or a block around it, was sent back. */
  feedback: string | undefined;
  /** The edits made inside that are not undone. */
  edits: Edit[];
  /** The blocks around it. */
  blocks: string[];
  isAtOnce: boolean;
}
interface Place extends Around {
  before: Step[];
  /** How often it has sent work back. */
  sentBack: number;
}
type StepOf<Key extends string> = Extract<Step, Record<Key, unknown>>;

const cancelled: End = { outcome: 'cancelled', code: 'cancelled' };

/** Predicts the result of a case. Whether a lost sandbox had a copy depends on timing, so `losses` says it. */
export function predict(ofCase: Case, losses: { onCopy?: boolean }[]): Prediction {
  return new PlainRun(ofCase, losses).predict();
}

class PlainRun {
  readonly #world: PlainWorld;
  readonly #losses: { onCopy?: boolean }[];
  #walks = 1;
  readonly #conversations = new Map<string, Question>();
  readonly #asked = new Map<string, number>();

  constructor(ofCase: Case, losses: { onCopy?: boolean }[]) {
    this.#world = new PlainWorld(ofCase);
    this.#losses = [...losses];
  }

  predict(): Prediction {
    const { prediction, case: ofCase } = this.#world;
    const top = { path: '', values: {}, feedback: undefined, edits: [], blocks: [], isAtOnce: false };
    for (;;) {
      try {
        this.#walk(ofCase.steps, top);
      } catch (error) {
        if (error instanceof Lost && this.#walks === 1 && prediction.pushed.length === 0) {
          this.#walks += 1;
          this.#world.beginAnew();
          this.#world.goOnUnsurely();
          this.#conversations.clear();
          continue;
        }
        prediction.end = endFor(error);
      }
      if (this.#world.isCancelled) prediction.end = cancelled;
      return prediction;
    }
  }

  #walk(steps: Step[], around: Around): void {
    const done: { edits: Edit[]; outputs: Values }[] = [];
    const sentBack = steps.map(() => 0);
    const feedback = new Map<number, string>();
    try {
      for (let index = 0; index < steps.length; index += 1) {
        const step = steps[index];
        if (!step) continue;
        const entry = { edits: [], outputs: {} };
        const before = steps.slice(0, index);
        const known = before.map(({ id = '' }, each) => [id, done[each]?.outputs ?? {}] as const);
        done[index] = entry;
        try {
          entry.outputs = this.#step(step, {
            ...around,
            path: `${around.path}${step.id}`,
            values: { ...around.values, ...Object.fromEntries(known) },
            feedback: feedback.get(index) ?? around.feedback,
            edits: entry.edits,
            before,
            sentBack: sentBack[index] ?? 0,
          });
        } catch (error) {
          if (!(error instanceof SentBack)) throw error;
          const target = steps.findIndex(({ id }) => id === error.to);
          const edits = done.splice(target).flatMap((each) => each.edits);
          this.#world.takeBack(`${around.path}${error.to}`, edits);
          for (let each = target; each <= index; each += 1) {
            this.#world.forgetGates(`${around.path}${steps[each]?.id}`);
            feedback.delete(each);
          }
          sentBack[index] = (sentBack[index] ?? 0) + 1;
          feedback.set(target, error.comment);
          index = target - 1;
        }
      }
    } finally {
      around.edits.push(...done.flatMap(({ edits }) => edits));
    }
  }

  #step(step: Step, place: Place): Values {
    const world = this.#world;
    world.checkpoint();
    this.#stopIfCancelled();
    if (step.if !== undefined && !isTrue(step.if, place.values)) {
      world.row(place.path, 'skipped');
      return { outcome: 'skipped' };
    }
    try {
      const outputs = this.#act(step, place);
      world.row(place.path, 'succeeded');
      return { ...outputs, outcome: 'succeeded' };
    } catch (error) {
      const isFine = error instanceof SentBack || (error instanceof Ended && error.end.code === undefined);
      world.row(place.path, isFine ? 'succeeded' : 'failed');
      if (!(error instanceof Failed) || step['on-failure'] !== 'continue') throw error;
      world.goOnUnsurely();
      return { outcome: 'failed' };
    }
  }

  #act(step: Step, place: Place): Values {
    const { values, path } = place;
    if ('run' in step) return this.#run(argvOf(step.run, values), place);
    if ('check' in step) {
      const commands = step.check.map((argv) => argvOf(argv, values));
      this.#world.remember(path, commands);
      if (!this.#world.decide(path, commands, true)) throw new Failed('check-failed');
    }
    if ('edit' in step) {
      const edit = this.#world.edit(fill(step.edit.old, values), fill(step.edit.new, values));
      if (!edit) throw new Failed('edit-refused');
      place.edits.push(edit);
    }
    if ('prompt' in step) return this.#prompt(step, place);
    if ('agent' in step) this.#agent(step, place);
    if ('each' in step) this.#each(step, place);
    if ('approve' in step) this.#approve(step, place);
    if ('change' in step) {
      const came = this.#world.change(path, step.change.gate ?? 'clean');
      if (came === 'refused') throw new Failed('gate-failed');
      if (came === 'nothing') throw new Ended({ outcome: 'nothing-to-do' });
    }
    if ('end' in step) {
      const { outcome } = step.end;
      throw new Ended({ outcome, ...(outcome === 'failed' && { code: 'ended-by-blueprint' }) });
    }
    return {};
  }

  /** A run that is paused while it goes on as a new execution may be copied there, and when that is can't be foreseen. */
  get #mayPauseAnywhere(): boolean {
    return this.#world.case.moments.some(({ path, tells }) => path === goingOn && tells?.kind === 'pause');
  }

  #stopIfCancelled(): void {
    if (this.#world.isCancelled) throw new Ended(cancelled);
  }

  #run(argv: string[], place: Place): Values {
    const { breaks } = this.#world.meet(place.path, place.isAtOnce);
    if (breaks === 'lost') return this.#lose(argv, place);
    const exitCode = this.#world.run(breaks === 'exit' ? ['false', ...argv] : argv);
    if (exitCode !== 0) throw new Failed('command-failed');
    return {};
  }

  /** With a copy, the step and the blocks around it begin again; without one, the whole run does. */
  #lose(argv: string[], place: Place): Values {
    const onCopy = this.#losses.shift()?.onCopy ?? false;
    if (place.isAtOnce) this.#world.loosen('end');
    if (!onCopy || place.isAtOnce) throw new Lost('sandbox-lost');
    if (!this.#world.isAsCopied && !this.#mayPauseAnywhere)
      this.#world.prediction.violations.push(`${place.path}: the copy lacks some work`);
    for (const path of [...place.blocks, place.path]) this.#world.row(path, 'failed');
    return this.#run(argv, place);
  }

  /** If work was sent back, the same conversation goes on with the comment. */
  #talk(name: string, { path, feedback }: Place): Question {
    const kept = feedback === undefined ? undefined : this.#conversations.get(path);
    return { name, answers: kept?.answers ?? 0, heard: [...(kept?.heard ?? []), ...heardIn(feedback ?? '')] };
  }

  #prompt(step: StepOf<'prompt'>, place: Place): Values {
    const talk = this.#talk(nameIn(fill(step.prompt.text, place.values)), place);
    for (let turn = 1; turn <= 3; turn += 1) {
      const { breaks } = this.#world.meet(place.path, place.isAtOnce);
      this.#world.ask(talk);
      const word = promptWord(talk);
      talk.answers += 1;
      if (breaks !== 'unusable') {
        this.#conversations.set(place.path, talk);
        return { value: { word } };
      }
      if (turn < 3) this.#stopIfCancelled();
    }
    throw new Failed('unusable-answers');
  }

  /** Acts once on everything that it is told, and then says that it is done. */
  #agent(step: StepOf<'agent'>, place: Place): void {
    const verify = (step.verify ?? []).map((argv) => argvOf(argv, place.values));
    this.#world.remember(place.path, verify);
    const talk = this.#talk(nameIn(fill(step.agent.task, place.values)), place);
    this.#conversations.set(place.path, talk);
    let left = step.attempts ?? 3;
    let unusable = 0;
    for (let isTold = true; ;) {
      const { breaks, heard } = this.#world.meet(place.path, place.isAtOnce);
      this.#world.ask(talk);
      this.#stopIfCancelled();
      const command = agentCommand(talk);
      talk.answers += 1;
      talk.heard.push(...heard);
      unusable = breaks === 'unusable' ? unusable + 1 : 0;
      if (unusable === 3) throw new Failed('unusable-answers');
      const acts = isTold && unusable === 0;
      if (acts) this.#world.run(command.split(' '));
      isTold = heard.length > 0 || unusable > 0;
      if (acts || isTold) continue;
      const { checks } = this.#world.prediction;
      const before = checks.length;
      if (this.#world.decide(place.path, verify, left === 1)) return;
      if ((left -= 1) === 0) throw new Failed('verify-failed');
      // The evidence has the checks of the last attempt.
      checks.splice(before);
      isTold = true;
    }
  }

  #each(step: StepOf<'each'>, place: Place): void {
    const items = itemsOf(step.each);
    const { tolerate = 0, 'at-once': atOnce = 4 } = step;
    const isAtOnce = Math.min(atOnce, items.length) > 1;
    if (isAtOnce) this.#world.prediction.isOrdered = false;
    const stops: unknown[] = [];
    let failed = 0;
    for (const [index, item] of items.entries()) {
      if (failed > tolerate && !isAtOnce) break;
      const inItem = {
        ...place,
        path: `${place.path}[${index}].`,
        values: { ...place.values, [step.as]: item },
        blocks: [...place.blocks, place.path],
        isAtOnce: isAtOnce || place.isAtOnce,
      };
      try {
        this.#walk(step.do, inItem);
      } catch (error) {
        if (error instanceof Failed) failed += 1;
        else if (!isAtOnce) throw error;
        else stops.push(error);
      }
    }
    const ends = new Set(
      [
        ...stops.map((stop) => endFor(stop)),
        ...(failed > tolerate ? [{ code: 'each' }] : []),
        ...(this.#world.isCancelled ? [cancelled] : []),
      ].map(({ code }) => code),
    );
    if (isAtOnce && ends.size > 0) this.#world.loosen(ends.size > 1 ? 'nothing' : 'end');
    if (stops.length > 0) throw stops[0];
    if (failed > tolerate) throw new Failed('each-failed');
    if (failed > 0) this.#world.goOnUnsurely();
  }

  #approve(step: StepOf<'approve'>, { path, before, sentBack }: Place): void {
    const { who = [], rounds: most = 3, wait, default: byDefault } = step.approve;
    const { case: ofCase, prediction } = this.#world;
    const time = this.#asked.get(path) ?? 0;
    this.#asked.set(path, time + 1);
    const targets = sentBack < most ? targetsOf(before) : [];
    this.#world.isAsCopied = true;
    if (wait !== undefined) {
      if (byDefault === 'approve') return;
      throw new Ended({ outcome: 'needs-human', code: 'approval-expired' });
    }
    for (const attempt of ofCase.answers[path]?.[time] ?? []) {
      const refusal = refusalOf(attempt, who, targets);
      prediction.told.push(`${path} ${attempt.kind} ${refusal ?? 'accepted'}`);
      if (refusal) continue;
      if (attempt.kind === 'approve') return;
      if (attempt.kind === 'reject') throw new Ended({ outcome: 'cancelled', code: 'rejected' });
      throw new SentBack(attempt.to ?? targets[0] ?? '', attempt.comment);
    }
  }
}

function refusalOf({ kind, by, to }: Attempt, who: string[], targets: string[]): string | undefined {
  if (who.length > 0 && !who.includes(by)) return 'not-asked';
  if (kind !== 'sendBack' || (targets.length > 0 && (to === undefined || targets.includes(to)))) return undefined;
  return 'cannot-send-back';
}

const asksModel = (step: Step): boolean =>
  'agent' in step || 'prompt' in step || ('each' in step && step.do.some(asksModel));

function targetsOf(before: Step[]): string[] {
  const usual = before.findLast(asksModel) ?? before[0];
  return usual ? [usual.id ?? '', ...before.map(({ id }) => id ?? '')] : [];
}

function endFor(error: unknown): End {
  if (error instanceof Ended) return error.end;
  if (error instanceof Failed || error instanceof Lost) return { outcome: 'failed', code: error.message };
  throw error;
}
