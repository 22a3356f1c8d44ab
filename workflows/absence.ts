/**
 * Lets a run's sandbox go while the run waits long for people or CI. The run comes back on an exact copy of its
 * workspace as soon as a step needs a sandbox. A run also comes back on that copy if its sandbox was lost and nothing
 * had changed since the copy was made.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { SandboxCopy } from '../activities/contract.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { RunContext } from './context.ts';
import { StepFailed } from './failures.ts';
import { perform } from './perform.ts';
import { prepareSandbox, removeSandbox } from './sandbox.ts';

/** Owns the run's sandbox while the run is under way: hands it out, lets it go, and brings it back. */
export class Absence {
  /** How often a step has asked for the sandbox. A copy is void if this changed while it was made. */
  #uses = 0;
  #coming: Promise<SandboxRef> | undefined;
  /** The copy that is being made. */
  #copying: Promise<SandboxCopy | undefined> | undefined;
  /** The workspace is too large to be copied. */
  #stays = false;

  get uses(): number {
    return this.#uses;
  }

  /** Does the run's work, and lets the sandbox go whenever nothing but waiting goes on for long. */
  async during<Result>(run: RunContext, work: () => Promise<Result>): Promise<Result> {
    const watch = new CancellationScope();
    const watching = watch.run(() => this.#leaveWhenIdle(run)).catch(() => undefined);
    try {
      return await work();
    } finally {
      watch.cancel();
      await watching;
    }
  }

  /** Where the run's commands run now. It is made again if it was let go. @throws StepFailed `sandbox-lost` */
  async ensureSandbox(run: RunContext): Promise<SandboxRef> {
    this.#uses += 1;
    await this.#copying;
    if (run.memory.sandbox) return run.memory.sandbox;
    this.#coming ??= makeSandboxAgain(run).finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  /** Sets one timer each time that the run begins to wait, however long it waits: a wait may take a month. */
  async #leaveWhenIdle(run: RunContext): Promise<void> {
    const { releaseAfterMs } = run.opened.settings;
    const isAtWork = () => !this.#isIdle(run);
    while (!this.#stays) {
      await condition(() => this.#isIdle(run));
      const summary = 'until the sandbox is released';
      if (await condition(isAtWork, Math.max(releaseAfterMs, 1), { summary })) continue;
      await this.#leave(run);
      // If it could not be copied now, the next wait may be better.
      await condition(isAtWork);
    }
  }

  /** Whether nothing goes on but waiting. An agent that is paused keeps its sandbox. */
  #isIdle({ clock, control, memory }: RunContext): boolean {
    return clock.isIdle && control.agentsAtWork === 0 && memory.sandbox !== undefined && this.#coming === undefined;
  }

  /** Copies the workspace and removes the sandbox, unless a step asks for it meanwhile. */
  async #leave(run: RunContext): Promise<void> {
    const { memory, opened, view } = run;
    const { sandbox } = memory;
    if (!sandbox) return;
    const uses = this.#uses;
    this.#copying = this.#copy(run, sandbox).finally(() => {
      this.#copying = undefined;
    });
    const copy = await this.#copying;
    if (!copy || uses !== this.#uses) return;
    if (!copy.archive) {
      this.#stays = true;
      return;
    }
    memory.copy = copy;
    delete memory.sandbox;
    await CancellationScope.nonCancellable(() => removeSandbox(opened, memory, sandbox.id));
    const row = view.begin(`away-${memory.counts.copies}`, 'sandbox', 'The sandbox is released while the run waits');
    const ignored = copy.ignored === 'kept' ? '' : ', without the ignored files, which setup makes again';
    view.finish(row, 'succeeded', { note: `kept a copy of ${copy.sizeBytes} bytes${ignored}` });
  }

  /** Makes a copy, but stops as soon as a step asks for the sandbox. Undefined if there is none. */
  async #copy({ key, memory, opened }: RunContext, sandbox: SandboxRef): Promise<SandboxCopy | undefined> {
    const { copyMaxBytes: maxBytes, copyIgnoredMaxBytes: ignoredMaxBytes, heartbeatTimeoutMs } = opened.settings;
    const timeoutMs = opened.settings.defaults.timeoutsMs.copy;
    const request = {
      sandbox,
      key: `${key}/copy-${(memory.counts.copies += 1)}`,
      base: opened.repository.commit,
      ignoredMaxBytes,
      maxBytes,
    };
    const uses = this.#uses;
    const copying = new CancellationScope();
    const copied = copying
      .run(() => perform('copySandbox', request, { summary: 'a copy of the workspace', timeoutMs, heartbeatTimeoutMs }))
      .catch(() => undefined);
    let isOver = false;
    void copied.then(() => (isOver = true));
    try {
      await condition(() => isOver || this.#uses !== uses);
    } finally {
      copying.cancel();
      await copied;
    }
    return copied;
  }
}

async function makeSandboxAgain(run: RunContext): Promise<SandboxRef> {
  const { memory, opened } = run;
  const { copy } = memory;
  if (!copy) throw new StepFailed('sandbox-lost', 'The run has no sandbox, and no copy of one');
  const key = `back-${(memory.counts.sandboxes += 1)}`;
  const sandbox = await prepareSandbox(run, { id: `${run.key}-${key}`, commit: opened.repository.commit, key });
  const { heartbeatTimeoutMs, defaults } = opened.settings;
  await perform(
    'restoreSandbox',
    { sandbox, key: `${run.key}/${key}`, copy },
    { summary: 'the workspace as it was', timeoutMs: defaults.timeoutsMs.copy, heartbeatTimeoutMs },
  );
  memory.sandbox = sandbox;
  return sandbox;
}
