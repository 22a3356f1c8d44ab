/** The people of a case: they answer what is open, and send the messages of the script at their moments. */
import { JigError } from '../../base/errors.ts';
import type { JigClient } from '../../client/client.ts';
import { messageNames, type Question, type RunState } from '../../workflows/messages.ts';
import { ada, type Attempt, type Told } from './case.ts';
import type { World } from './world.ts';

const quietMs = 40;
const mostQuietMs = 2000;
/** How long to wait for a sandbox to be released. It may stay, because other items use it. */
const mostAwayMs = 4000;

/** Everything that people do in a run, until its end. */
export async function takePart(client: JigClient, runId: string, world: World, ended: AbortSignal): Promise<void> {
  const people = new People(client, runId, world);
  world.tell = (told) => people.tell(told);
  world.answerOpen = async () => void (await people.answerOpen(ended));
  let ms = quietMs;
  while (!ended.aborted) {
    await world.untilQuiet(ms, ended);
    ms = (await people.answerOpen(ended)) ? quietMs : Math.min(ms * 2, mostQuietMs);
  }
}

class People {
  readonly #client: JigClient;
  readonly #runId: string;
  readonly #world: World;
  /** Questions that were answered, each with the time at which it was asked. */
  readonly #answered = new Set<string>();
  readonly #seenAtMs = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(client: JigClient, runId: string, world: World) {
    this.#client = client;
    this.#runId = runId;
    this.#world = world;
  }

  /** `accepted`, or the code of the refusal. */
  async tell({ kind, step, text = 'hello' }: Told): Promise<string> {
    const to = { by: ada, ...(step !== undefined && { step }) };
    if (kind === 'steer') return outcomeOf(this.#client.steer(this.#runId, { ...to, text }));
    const came = await outcomeOf(this.#client[kind](this.#runId, to));
    // Whether the run is already paused depends on timing.
    return kind === 'pause' && came === 'already-paused' ? 'accepted' : came;
  }

  /** Returns whether there was anything to do. Calls run one after the other. */
  async answerOpen(ended: AbortSignal): Promise<boolean> {
    const mine = this.#turn.then(() => (ended.aborted ? false : this.#answerAll()));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #answerAll(): Promise<boolean> {
    const { questions, steps } = await this.#state();
    let isAnswered = false;
    for (const question of questions) {
      if (question.kind === 'paused') {
        await outcomeOf(this.#client.resume(this.#runId, { by: ada }));
        isAnswered = true;
        continue;
      }
      const time = steps.filter(({ path, state }) => path === question.id && state !== 'skipped').length;
      const name = `${question.id} ${time}`;
      if (this.#answered.has(name) || !isWaitedFor(question)) continue;
      if (!this.#isAway(name, question, steps)) continue;
      this.#answered.add(name);
      isAnswered = true;
      await this.#answer(question, this.#world.case.answers[question.id]?.[time - 1] ?? []);
    }
    return isAnswered;
  }

  /** If a run will release its sandbox, people wait for that, because a server's timer is late. */
  #isAway(name: string, { id }: Question, steps: RunState['steps']): boolean {
    if (this.#world.case.releaseAfterMs > 1000) return true;
    const sinceMs = this.#seenAtMs.get(name) ?? Date.now();
    this.#seenAtMs.set(name, sinceMs);
    const isGone = steps
      .slice(steps.findLastIndex(({ path }) => path === id))
      .some(({ path }) => path.startsWith('away-'));
    return isGone || Date.now() - sinceMs > mostAwayMs;
  }

  async #answer({ id, who }: Question, attempts: Attempt[]): Promise<void> {
    for (const { kind, ...message } of attempts) {
      const came = await outcomeOf(this.#client[kind](this.#runId, { ...message, step: id }));
      this.#world.told.push(`${id} ${kind} ${came}`);
      if (came === 'accepted') return;
    }
    await outcomeOf(this.#client.approve(this.#runId, { by: who[0] ?? ada, step: id }));
  }

  #state(): Promise<RunState> {
    return this.#client.temporal.workflow.getHandle(this.#runId).query<RunState>(messageNames.state);
  }
}

async function outcomeOf(sent: Promise<void>): Promise<string> {
  try {
    await sent;
    return 'accepted';
  } catch (error) {
    if (error instanceof JigError) return error.code;
    throw error;
  }
}

/** Nobody answers a question with a short deadline. */
const isWaitedFor = ({ deadlineMs }: Question): boolean => deadlineMs - Date.now() > 60_000;
