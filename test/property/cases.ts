/** Random cases: a blueprint, what people do in its run, and what breaks. */
import * as fc from 'fast-check';
import type { Step } from '../../blueprints/schema.ts';
import { ada, cleaningUp, goingOn, type Attempt, type Case, type Moment } from './case.ts';
import { itemsOf } from './expressions.ts';

type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T;
/** The place of a new step: the variables that its names must contain, and the earlier steps of its list. */
interface Spot {
  variables: string[];
  isAtOnce: boolean;
  before: Step[];
  /** Answers of prompts that can be read here. */
  words: string[];
}

const lists = { first: ['a', 'b', 'c'], second: ['x', 'y'] };
const answer = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] };
const who = [ada, 'ben'];

export const anyCase: fc.Arbitrary<Case> = fc.gen().map((g) => new Maker((arbitrary) => g(() => arbitrary)).make());

class Maker {
  readonly #draw: Draw;
  #count = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  make(): Case {
    const top = { variables: [], isAtOnce: false, before: [], words: [] };
    const steps = this.#list(this.#number(2, 4), top);
    if (this.#chance(40))
      this.#insert(steps, { id: 'open', change: { title: 'A change', gate: this.#pick(['clean', 'spared']) } });
    if (this.#chance(50)) steps.push({ id: 'last', approve: {} });
    const places = placesOf(steps);
    const moments = this.#moments(places);
    const isCancelled = moments.some(({ path, tells }) => tells?.kind === 'cancel' && path !== cleaningUp);
    return {
      steps,
      files: {
        page: placesOf(steps)
          .flatMap(({ step, fill }) => ('edit' in step ? [`${fill(step.edit.old)}\n`] : []))
          .join(''),
      },
      continueAfterEvents: this.#pick([0, 0, 30, 45, 70]),
      releaseAfterMs: this.#chance(20) ? 1 : 3_600_000,
      answers: this.#answers(places),
      answersWhileGoingOn: this.#chance(50),
      moments,
      // Whether a cancelled activity is tried once more depends on timing.
      lostResults: !isCancelled && this.#chance(40) ? [this.#number(1, 20), this.#number(1, 40)] : [],
    };
  }

  #number = (min: number, max: number): number => this.#draw(fc.integer({ min, max }));
  #chance = (percent: number): boolean => this.#number(1, 100) <= percent;
  #pick<T>(from: readonly T[]): T {
    return this.#draw(fc.constantFrom(...from));
  }

  #list(length: number, spot: Spot): Step[] {
    const inside = { ...spot, before: [] as Step[], words: [...spot.words] };
    for (let count = 0; count < length; count += 1) {
      const step = this.#step(inside);
      if ('prompt' in step && step['on-failure'] === undefined && step.if === undefined)
        inside.words.push(`\${{ steps.${step.id}.value.word }}`);
      inside.before.push(step);
    }
    return inside.before;
  }

  #step(spot: Spot): Step {
    const id = `s${(this.#count += 1)}`;
    const name = [id, ...spot.variables.map((each) => `\${{ ${each} }}`)].join('-');
    const depth = spot.variables.length;
    const kinds = ['run', 'run', 'run', 'edit', 'edit', 'prompt', 'prompt', 'agent', 'approve', 'check'];
    const kind = this.#pick(
      depth === 0 ? [...kinds, 'each', 'each', 'each'] : depth === 1 ? [...kinds, 'each'] : kinds,
    );
    const common = { id, ...this.#condition(spot), ...this.#onFailure(kind) };
    if (kind === 'run') return { ...common, run: ['append', `f-${name}`, 'line'] };
    if (kind === 'check') return { ...common, check: [this.#checkCommand(spot, name)] };
    if (kind === 'prompt') return { ...common, prompt: { text: `#${name} Which word?`, answer } };
    if (kind === 'agent') return { ...common, ...this.#agent(name) };
    if (kind === 'approve') return { id, ...this.#condition(spot), approve: this.#approval() };
    if (kind === 'each') return { ...common, ...this.#each(spot) };
    const word = spot.words.length > 0 && this.#chance(70) ? this.#pick(spot.words) : 'new';
    return { ...common, edit: { path: 'page', old: `<${name}>`, new: `[${name}:${word}]` } };
  }

  #condition({ before }: Spot): Pick<Step, 'if'> {
    const known = before.filter((step) => !('approve' in step));
    if (known.length === 0 || !this.#chance(12)) return {};
    return { if: `steps.${this.#pick(known).id}.outcome == '${this.#pick(['succeeded', 'failed'])}'` };
  }

  #onFailure(kind: string): Pick<Step, 'on-failure'> {
    return kind !== 'approve' && this.#chance(25) ? { 'on-failure': 'continue' } : {};
  }

  /** Reads a file that a step of the same list writes, so that no simultaneous step can change its result. */
  #checkCommand({ before }: Spot, name: string): string[] {
    const files = before.flatMap((step) => ('run' in step && Array.isArray(step.run) ? [step.run[1] ?? ''] : []));
    const file = files.length > 0 ? this.#pick(files) : `f-${name}`;
    return ['lines', file, this.#pick(files.length > 0 ? ['0', '1', '1', '2'] : ['0'])];
  }

  #agent(name: string) {
    const agent = { task: `#${name} Do it.` };
    if (this.#chance(40)) return { agent };
    const attempts = this.#number(1, 3);
    return { agent, verify: [['lines', `f-${name}`, String(this.#number(1, 3))]], attempts };
  }

  #approval() {
    if (this.#chance(5)) return { wait: '700ms', default: this.#pick(['approve', 'reject'] as const) };
    return {
      ...(this.#chance(20) && { who: this.#chance(50) ? [ada] : who }),
      ...(this.#chance(30) && { rounds: this.#number(1, 2) }),
    };
  }

  #each(spot: Spot) {
    const isInner = spot.variables.length > 0;
    const as = isInner ? 'second' : 'first';
    const items = lists[as].slice(0, this.#number(1, isInner ? 2 : 3));
    const atOnce = this.#number(1, 3);
    const isAtOnce = spot.isAtOnce || (atOnce > 1 && items.length > 1);
    const inside = { ...spot, variables: [...spot.variables, as], isAtOnce };
    return {
      each: `\${{ [${items.map((item) => `'${item}'`).join(', ')}] }}`,
      as,
      'at-once': atOnce,
      tolerate: this.#number(0, 2),
      do: this.#list(this.#number(1, 3), inside),
    };
  }

  #insert(steps: Step[], step: Step): void {
    steps.splice(this.#number(1, steps.length), 0, step);
  }

  #answers(places: StepPlace[]): Case['answers'] {
    const answers: Case['answers'] = {};
    for (const { path, step, before } of places) {
      if (!('approve' in step) || step.approve.wait !== undefined || this.#chance(30)) continue;
      const times = Array.from({ length: this.#number(1, 3) }, () => this.#attempts(before));
      answers[path] = times;
    }
    return answers;
  }

  #attempts(before: Step[]): Attempt[] {
    return Array.from({ length: this.#number(0, 2) }, () => {
      const by = this.#pick([ada, ada, 'ben', 'eve']);
      const comment = `«c${(this.#count += 1)}»`;
      const kind = this.#pick(['sendBack', 'sendBack', 'sendBack', 'sendBack', 'approve', 'reject'] as const);
      const to =
        before.length > 0 && this.#chance(60) ? this.#pick(before).id : this.#chance(10) ? 'nowhere' : undefined;
      return { kind, by, comment, ...(kind === 'sendBack' && to !== undefined && { to }) };
    });
  }

  #moments(places: StepPlace[]): Moment[] {
    const moments = new Map<string, Moment>();
    const set = (path: string, time: number, what: Omit<Moment, 'path' | 'time'>) =>
      moments.set(`${path} ${time}`, { path, time, ...what });
    const commands = places.filter(({ step }) => 'run' in step);
    const questions = places.filter(({ step }) => 'prompt' in step || 'agent' in step);
    const time = () => this.#pick([1, 1, 1, 2, 3]);
    for (const { path, isAtOnce } of commands) {
      if (this.#chance(15)) set(path, time(), { breaks: 'exit' });
      else if (this.#chance(isAtOnce ? 1 : 5)) set(path, time(), { breaks: 'lost' });
    }
    for (const { path, step } of questions) {
      if (this.#chance(15))
        for (const each of this.#pick([[1], [2], [1, 2], [1, 2, 3]])) set(path, each, { breaks: 'unusable' });
      else if ('agent' in step && this.#chance(35)) {
        const text = `«w${(this.#count += 1)}»`;
        set(path, time(), { tells: { kind: 'steer', step: this.#chance(85) ? path : 'nowhere', text } });
      }
    }
    const all = [...commands, ...questions];
    if (all.length > 0 && this.#chance(12)) set(this.#pick(all).path, time(), { tells: { kind: 'cancel' } });
    if (all.length > 0 && this.#chance(30)) set(this.#pick(all).path, time(), { tells: { kind: 'pause' } });
    if (all.length > 0 && this.#chance(15))
      set(this.#pick(all).path, time(), { tells: { kind: 'approve', step: 'nowhere' } });
    const going = this.#pick([
      undefined,
      undefined,
      { kind: 'pause' },
      { kind: 'cancel' },
      { kind: 'approve', step: 'nowhere' },
    ] as const);
    if (going) set(goingOn, this.#number(1, 4), { tells: going });
    else if (this.#chance(5)) set(goingOn, this.#number(1, 4), { breaks: 'store' });
    const late = this.#pick([undefined, undefined, undefined, 'pause', 'cancel', 'approve'] as const);
    if (late) set(cleaningUp, 1, { tells: { kind: late } });
    return [...moments.values()];
  }
}

interface StepPlace {
  path: string;
  step: Step;
  before: Step[];
  isAtOnce: boolean;
  /** Replaces the variables of the blocks around in a text. */
  fill: (text: string) => string;
}

/** Every step, once for each item of the blocks around it. */
function placesOf(steps: Step[], prefix = '', isAtOnce = false, fill = (text: string) => text): StepPlace[] {
  return steps.flatMap((step, position) => {
    const path = `${prefix}${step.id}`;
    const place = { path, step, before: steps.slice(0, position), isAtOnce, fill };
    if (!('each' in step)) return [place];
    const items = itemsOf(step.each);
    const isInside = isAtOnce || Math.min(step['at-once'] ?? 4, items.length) > 1;
    const inItem = (item: string) => (text: string) => fill(text.replaceAll(`\${{ ${step.as} }}`, item));
    return [place, ...items.flatMap((item, index) => placesOf(step.do, `${path}[${index}].`, isInside, inItem(item)))];
  });
}
