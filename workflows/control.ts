/** What people tell a running run: updates with synchronous validators, and the waits that they end. */
import type { UpdateDefinition } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import { RunEnded } from './failures.ts';
import { Decision, messageNames, SendBack, Steer, type Waiting } from './messages.ts';
import type { RunView } from './view.ts';

export interface Verdict {
  decision: 'approve' | 'reject' | 'send-back';
  by: string;
  comment: string;
}

/** What an agent step accepts while it runs. */
export interface Steerable {
  steer(text: string): Promise<void>;
  setPaused(paused: boolean): Promise<void>;
  /** How long it stays paused. */
  waitMs: number;
}

const accepted = 'accepted';
type Ack = typeof accepted;

/** Thrown by validators: the caller gets it at once, and nothing enters the history. */
function refuse(code: ErrorCode, message: string): never {
  throw ApplicationFailure.nonRetryable(message, code);
}

export class RunControl {
  readonly #view: RunView;
  readonly #scope: CancellationScope;
  #paused = false;
  /** The one wait of all that stop for a pause. */
  #pause: Promise<void> | undefined;
  #verdict: Verdict | undefined;
  #steerable: Steerable | undefined;
  cancelledBy: string | undefined;

  constructor(view: RunView, scope: CancellationScope) {
    this.#view = view;
    this.#scope = scope;
    this.#handle(
      messageNames.pause,
      Decision,
      () => this.#paused && refuse('already-paused', 'The run is paused already'),
      () => this.#setPaused(true),
    );
    this.#handle(
      messageNames.resume,
      Decision,
      () => !this.#paused && refuse('not-paused', 'The run is not paused'),
      () => this.#setPaused(false),
    );
    this.#handle(
      messageNames.cancel,
      Decision,
      () => undefined,
      (decision) => this.#cancel(decision),
    );
    this.#handle(
      messageNames.approve,
      Decision,
      (decision) => this.#checkAsked(decision.by),
      ({ by, comment = '' }) => this.#decide({ decision: 'approve', by, comment }),
    );
    this.#handle(
      messageNames.reject,
      Decision,
      (decision) => this.#checkAsked(decision.by),
      ({ by, comment = '' }) => this.#decide({ decision: 'reject', by, comment }),
    );
    this.#handle(
      messageNames.sendBack,
      SendBack,
      (message) => this.#checkSendBack(message.by),
      ({ by, comment }) => this.#decide({ decision: 'send-back', by, comment }),
    );
    this.#handle(
      messageNames.steer,
      Steer,
      () =>
        !this.#steerable && refuse('nothing-to-steer', 'No agent step is running; `jig show` says where the run is'),
      ({ by, text }) => this.#steerable?.steer(`${by}: ${text}`),
    );
  }

  /** While an agent step runs, pause and steer reach it. */
  async attach<Result>(steerable: Steerable, work: () => Promise<Result>): Promise<Result> {
    this.#steerable = steerable;
    try {
      if (this.#paused) await this.#setPaused(true);
      return await work();
    } finally {
      this.#steerable = undefined;
    }
  }

  /** Stops here while the run is paused, at most `waitMs`, and tells once how long that was. @throws RunEnded when nobody resumes it. */
  async whilePaused(waitMs: number, waited: (ms: number) => void): Promise<void> {
    if (!this.#paused) return;
    this.#pause ??= this.#untilResumed(waitMs, waited);
    await this.#pause;
  }

  async #untilResumed(waitMs: number, waited: (ms: number) => void): Promise<void> {
    const sinceMs = Date.now();
    this.#showPaused(waitMs);
    try {
      const resumed = await condition(() => !this.#paused, waitMs, { summary: 'paused by a human' });
      if (!resumed)
        throw new RunEnded({
          outcome: 'needs-human',
          code: 'pause-expired',
          reason: 'The run stayed paused past its deadline',
        });
    } finally {
      this.#pause = undefined;
      waited(Date.now() - sinceMs);
    }
  }

  /** Asks a human and waits; undefined at the deadline. */
  async askHuman(waiting: Omit<Waiting, 'deadlineMs'>, waitMs: number): Promise<Verdict | undefined> {
    this.#verdict = undefined;
    this.#ask('waiting-for-human', { ...waiting, deadlineMs: Date.now() + waitMs });
    await condition(() => this.#verdict !== undefined, waitMs, {
      summary: `a human: ${waiting.question}`.slice(0, 120),
    });
    this.#view.setPhase('running');
    return this.#verdict;
  }

  #ask(phase: 'paused' | 'waiting-for-human', waiting: Waiting): void {
    this.#view.setPhase(phase, waiting);
  }

  async #setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
    if (!paused && this.#view.state.phase === 'paused') this.#view.setPhase('running');
    if (paused && this.#steerable) this.#showPaused(this.#steerable.waitMs);
    await this.#steerable?.setPaused(paused);
  }

  #showPaused(waitMs: number): void {
    this.#ask('paused', {
      kind: 'paused',
      question: 'The run is paused: resume or cancel it',
      who: [],
      deadlineMs: Date.now() + waitMs,
      canSendBack: false,
    });
  }

  #cancel({ by, comment }: Decision): void {
    this.cancelledBy ??= comment ? `${by}: ${comment}` : by;
    this.#scope.cancel();
  }

  #decide(verdict: Verdict): void {
    this.#verdict = verdict;
  }

  #checkAsked(by: string): void {
    const waiting = this.#view.state.waiting;
    if (!waiting || waiting.kind === 'paused' || this.#verdict)
      refuse('nothing-to-decide', 'The run waits for no decision; `jig show` says where it is');
    if (waiting.who.length > 0 && !waiting.who.includes(by))
      refuse('not-asked', `Only ${waiting.who.join(', ')} can decide this`);
  }

  #checkSendBack(by: string): void {
    this.#checkAsked(by);
    if (!this.#view.state.waiting?.canSendBack)
      refuse(
        'cannot-send-back',
        'This can be approved or rejected, not sent back: no agent step came before it, or its rounds are used up',
      );
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
      return parsed.success
        ? parsed.data
        : refuse(
            'invalid-message',
            `The message ${name} is malformed: ${parsed.error.issues.map(({ path, message: why }) => `${path.join('.')}: ${why}`).join('; ')}`,
          );
    };
    setHandler<Ack, [unknown], UpdateDefinition<Ack, [unknown]>>(
      defineUpdate<Ack, [unknown]>(name),
      async (value): Promise<Ack> => {
        await act(parse(value));
        return accepted;
      },
      {
        validator: (value) => {
          if (this.#view.state.end) refuse('run-ended', `The run ${workflowInfo().workflowId} has ended`);
          check(parse(value));
        },
      },
    );
  }
}
