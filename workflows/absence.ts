/**
 * Lets a run's sandbox go while the run waits long for people or CI. The run comes back on an exact copy of its
 * workspace as soon as a step needs a sandbox. A run also comes back on that copy if its sandbox was lost and nothing
 * had changed since the copy was made.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';
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
  /** The workspace is too large to be copied. */
  #stays = false;

  get uses(): number {
    return this.#uses;
  }

  /** Waits for people or for CI, and lets the sandbox go if nothing but waiting goes on for long. */
  async wait<Result>(run: RunContext, work: () => Promise<Result>): Promise<Result> {
    const watch = new CancellationScope();
    const watching = watch.run(() => this.#leaveWhenIdle(run)).catch(() => undefined);
    try {
      return await run.clock.wait(work);
    } finally {
      watch.cancel();
      await watching;
    }
  }

  /** Where the run's commands run now. It is made again if it was let go. @throws StepFailed `sandbox-lost` */
  async ensureSandbox(run: RunContext): Promise<SandboxRef> {
    this.#uses += 1;
    if (run.memory.sandbox) return run.memory.sandbox;
    this.#coming ??= makeSandboxAgain(run).finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  async #leaveWhenIdle(run: RunContext): Promise<void> {
    const { releaseAfterMs } = run.opened.settings;
    while (!this.#stays) {
      await sleep(Math.max(releaseAfterMs, 1), { summary: 'until the sandbox is released' });
      if (this.#isIdle(run)) return this.#leave(run);
    }
  }

  /** Whether nothing goes on but waiting. An agent that is paused keeps its sandbox. */
  #isIdle({ clock, control, memory }: RunContext): boolean {
    return clock.isIdle && control.agentsAtWork === 0 && memory.sandbox !== undefined && this.#coming === undefined;
  }

  async #leave(run: RunContext): Promise<void> {
    const { memory, opened, view } = run;
    const { sandbox } = memory;
    if (!sandbox) return;
    const { copyMaxBytes: maxBytes, copyIgnoredMaxBytes: ignoredMaxBytes, heartbeatTimeoutMs } = opened.settings;
    const timeoutMs = opened.settings.defaults.timeoutsMs.copy;
    const uses = this.#uses;
    const copy = await perform(
      'copySandbox',
      {
        sandbox,
        key: `${run.key}/copy-${(memory.counts.copies += 1)}`,
        base: opened.repository.commit,
        ignoredMaxBytes,
        maxBytes,
      },
      { summary: 'a copy of the workspace', timeoutMs, heartbeatTimeoutMs },
    );
    // The wait may have ended while the copy was made.
    if (uses !== this.#uses || !this.#isIdle(run)) return;
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
