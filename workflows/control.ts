/** What people can tell a run: updates with synchronous validators, and the waits that they end. */
import type { UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure, condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import { HistoryFull, RunEnded } from './failures.ts';
import type { Answer, RunMemory } from './memory.ts';
import { Decision, messageNames, SendBack, Steer, type Question } from './messages.ts';
import type { RunView } from './view.ts';

/** What a running agent step can be told. */
export interface Steerable {
  steer(text: string): Promise<void>;
  setPaused(paused: boolean): Promise<void>;
  /** How long it may stay paused. */
  waitMs: number;
}

const accepted = 'accepted';
type Ack = typeof accepted;

/** The id of the question that a paused run asks. No step can have it. */
const pausedId = 'jig:paused';

/** Refuses a message from a validator. The sender gets the error immediately, and nothing enters the history. */
function refuse(code: ErrorCode, message: string): never {
  throw ApplicationFailure.nonRetryable(message, code);
}

/** Handles the messages to a run, and holds the waits that they end. */
export class RunControl {
  readonly #memory: RunMemory;
  readonly #view: RunView;
  readonly #cancelWork: () => void;
  /** The agents at work, by the path of their step. */
  readonly #agents = new Map<string, Steerable>();
  /** The wait that all steps share while the run is paused. */
  #pause: Promise<void> | undefined;
  #isGoingOn = false;

  constructor(memory: RunMemory, view: RunView, cancelWork: () => void) {
    this.#memory = memory;
    this.#view = view;
    this.#cancelWork = cancelWork;
    this.#handle(
      messageNames.pause,
      Decision,
      () => this.#messages.paused && refuse('already-paused', 'The run is already paused'),
      () => this.#setPaused(true),
    );
    this.#handle(
      messageNames.resume,
      Decision,
      () => !this.#messages.paused && refuse('not-paused', 'The run is not paused'),
      () => this.#setPaused(false),
    );
    this.#handle(
      messageNames.cancel,
      Decision,
      () => undefined,
      (decision) => this.#cancel(decision),
    );
    for (const decision of ['approve', 'reject'] as const) {
      this.#handle(
        messageNames[decision],
        Decision,
        (message) => this.#findAsked(message),
        (message) =>
          this.#answer(this.#findAsked(message), { decision, by: message.by, comment: message.comment ?? '' }),
      );
    }
    this.#handle(
      messageNames.sendBack,
      SendBack,
      (message) => this.#findSendable(message),
      ({ by, comment, to, ...message }) => {
        const asked = this.#findSendable({ by, comment, to, ...message });
        this.#answer(asked, { decision: 'send-back', by, comment, ...(to !== undefined && { to }) });
      },
    );
    this.#handle(
      messageNames.steer,
      Steer,
      (message) => this.#findAgents(message),
      (message) => this.#steer(message),
    );
  }

  get #messages(): RunMemory['messages'] {
    return this.#memory.messages;
  }

  get cancelledBy(): string | undefined {
    return this.#messages.cancelledBy;
  }

  get isPaused(): boolean {
    return this.#messages.paused;
  }

  /** Prepares for a new execution: steps that wait for a person stop waiting, and wait again there. */
  goOn(): void {
    this.#isGoingOn = true;
  }

  /** While an agent step runs, pause and steer reach it. */
  async attach<Result>(path: string, agent: Steerable, work: () => Promise<Result>): Promise<Result> {
    this.#agents.set(path, agent);
    try {
      if (this.isPaused) await this.#setPaused(true);
      return await work();
    } finally {
      this.#agents.delete(path);
    }
  }

  get agentsAtWork(): number {
    return this.#agents.size;
  }

  /** Waits while the run is paused, for at most `waitMs`. @throws RunEnded if nobody resumes it, HistoryFull */
  async whilePaused(waitMs: number): Promise<void> {
    if (!this.isPaused) return;
    this.#pause ??= this.#untilResumed(waitMs).finally(() => {
      this.#pause = undefined;
    });
    await this.#pause;
  }

  async #untilResumed(waitMs: number): Promise<void> {
    const resumed = await this.#wait(pausedQuestion, waitMs, () => !this.isPaused, 'paused by a person');
    if (resumed) return;
    const reason = 'Nobody resumed the paused run before its deadline';
    throw new RunEnded({ outcome: 'needs-human', code: 'pause-expired', reason });
  }

  /**
   * Asks people and waits for an answer; undefined at the deadline. @throws HistoryFull if the run goes on as a new
   * execution first
   */
  async askHuman(question: Omit<Question, 'deadlineMs'>, waitMs: number): Promise<Answer | undefined> {
    const { answers } = this.#messages;
    const { id } = question;
    try {
      await this.#wait(question, waitMs, () => answers[id] !== undefined, `a person: ${question.question}`);
    } catch (error) {
      // An answer that came too late must not answer the next question of this name.
      if (!(error instanceof HistoryFull)) delete answers[id];
      throw error;
    }
    const answer = answers[id];
    delete answers[id];
    return answer;
  }

  /** Returns false at the deadline. The deadline was set by the first execution that asked. */
  async #wait(
    question: Omit<Question, 'deadlineMs'>,
    waitMs: number,
    isOver: () => boolean,
    summary: string,
  ): Promise<boolean> {
    const { deadlineMs } = this.#view.ask({ ...question, deadlineMs: Date.now() + waitMs });
    let isLeft = false;
    try {
      const leftMs = Math.max(deadlineMs - Date.now(), 1);
      await condition(() => isOver() || this.#isGoingOn, leftMs, { summary: summary.slice(0, 120) });
      isLeft = !isOver() && this.#isGoingOn;
      if (isLeft) throw new HistoryFull();
      return isOver();
    } finally {
      if (!isLeft) this.#view.closeQuestion(question.id);
    }
  }

  async #setPaused(paused: boolean): Promise<void> {
    this.#messages.paused = paused;
    if (!paused) this.#view.closeQuestion(pausedId);
    const [agent] = this.#agents.values();
    if (paused && agent) this.#view.ask({ ...pausedQuestion, deadlineMs: Date.now() + agent.waitMs });
    // An agent that ends at this moment stops at the run's own pause.
    await Promise.allSettled([...this.#agents.values()].map((each) => each.setPaused(paused)));
  }

  #cancel({ by, comment }: Decision): void {
    this.#messages.cancelledBy ??= comment ? `${by}: ${comment}` : by;
    this.#cancelWork();
  }

  #answer(asked: Question[], answer: Answer): void {
    for (const { id } of asked) this.#messages.answers[id] = answer;
  }

  /** The open questions that a message answers. */
  #findAsked({ by, step }: Pick<Decision, 'by' | 'step'>): Question[] {
    const { questions } = this.#view.state;
    const open = questions.filter(({ id, kind }) => kind !== 'paused' && this.#messages.answers[id] === undefined);
    const meant = open.filter(({ id }) => step === undefined || id === step);
    if (meant.length === 0)
      refuse(
        'nothing-to-decide',
        open.length === 0
          ? 'The run is not waiting for a decision; `jig show` says where it is'
          : `The run is not waiting for a decision at ${step}, only at ${open.map(({ id }) => id).join(', ')}`,
      );
    const allowed = meant.filter(({ who }) => who.length === 0 || who.includes(by));
    if (allowed.length === 0)
      refuse('not-asked', `Only ${[...new Set(meant.flatMap(({ who }) => who))].join(', ')} can decide this`);
    return allowed;
  }

  #findSendable({ to, ...message }: SendBack): Question[] {
    const sendable = this.#findAsked(message).filter(({ sendBackTo }) => sendBackTo.length > 0);
    if (sendable.length === 0)
      refuse(
        'cannot-send-back',
        'This can be approved or rejected, but not sent back: no step came before it, or its rounds are used up',
      );
    const meant = sendable.filter(({ sendBackTo }) => to === undefined || sendBackTo.includes(to));
    if (meant.length === 0) {
      const steps = new Set(sendable.flatMap(({ sendBackTo }) => sendBackTo));
      refuse('cannot-send-back', `The work can't be sent back to ${to}, only to ${[...steps].join(', ')}`);
    }
    return meant;
  }

  #findAgents({ step }: Pick<Steer, 'step'>): Steerable[] {
    const meant = [...this.#agents].filter(([path]) => step === undefined || path === step);
    if (meant.length > 0) return meant.map(([, agent]) => agent);
    return refuse(
      'nothing-to-steer',
      this.#agents.size === 0
        ? 'No agent step is running; `jig show` says where the run is'
        : `No agent is working at ${step}, only at ${[...this.#agents.keys()].join(', ')}`,
    );
  }

  /** Steers agents. An agent that ends at this moment would lose the words, so the sender is told. */
  async #steer({ by, text, step }: Steer): Promise<void> {
    const told = await Promise.allSettled(this.#findAgents({ step }).map((agent) => agent.steer(`${by}: ${text}`)));
    if (told.every(({ status }) => status === 'rejected'))
      refuse('nothing-to-steer', 'The agent has ended before it could hear this');
  }

  /** Registers an update: its argument is parsed, and the validator is synchronous (an async one hangs its caller). */
  #handle<Message>(
    name: string,
    schema: z.ZodType<Message>,
    check: (message: Message) => unknown,
    act: (message: Message) => unknown,
  ): void {
    const parse = (value: unknown): Message => {
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      const issues = parsed.error.issues.map(({ path, message: why }) => `${path.join('.')}: ${why}`);
      return refuse('invalid-message', `The message ${name} is not valid: ${issues.join('; ')}`);
    };
    setHandler<Ack, [unknown], UpdateDefinition<Ack, [unknown]>>(
      defineUpdate<Ack, [unknown]>(name),
      async (value): Promise<Ack> => {
        await act(parse(value));
        return accepted;
      },
      {
        validator: (value) => {
          const { end, phase } = this.#view.state;
          // Its end is decided before it has cleaned up: nothing can come of a message any more.
          if (end || phase === 'cleaning-up') refuse('run-ended', `The run ${workflowInfo().workflowId} has ended`);
          check(parse(value));
        },
      },
    );
  }
}

const pausedQuestion = {
  id: pausedId,
  kind: 'paused',
  question: 'The run is paused: resume or cancel it',
  who: [],
  sendBackTo: [],
} satisfies Omit<Question, 'deadlineMs'>;
