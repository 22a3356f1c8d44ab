/** The local forge's CI: runs each queued check of a change in a new sandbox. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { cutText } from '../agent/cut-text.ts';
import type { Parts } from '../activities/parts.ts';
import { defaults } from '../base/defaults.ts';
import type { LocalForge } from '../forge/local/local-forge.ts';
import { checkoutCommand } from '../git/sandbox-scripts.ts';
import { readFile } from 'node:fs/promises';
import type { CommandResult } from '../sandbox/contract.ts';
import { SandboxLost } from '../sandbox/errors.ts';

type Queued = NonNullable<Awaited<ReturnType<LocalForge['takeQueuedCheck']>>>;
interface CiParts {
  parts: Pick<Parts, 'sandboxes' | 'git' | 'ciPollMs'>;
  forge: LocalForge;
  log: Logger;
}

/**
 * Runs checks, one at a time, until the signal aborts. Resolves when the last check has ended, or was left to another
 * worker.
 */
export async function runLocalCi(ci: CiParts, signal: AbortSignal): Promise<void> {
  await removeLeft(ci);
  while (!signal.aborted) {
    const queued = await ci.forge
      .takeQueuedCheck()
      .catch((error: unknown) => ci.log.error({ err: error }, 'the queue of checks could not be read'));
    if (!queued) await wait(ci.parts.ciPollMs, undefined, { signal }).catch(() => undefined);
    else await carryOut(ci, queued, signal);
  }
}

/** Runs a check, or goes on with it if a worker died during it. */
async function carryOut({ parts, forge, log }: CiParts, queued: Queued, signal: AbortSignal): Promise<void> {
  const { repository, commit } = queued;
  const id = `ci-${repository}-${commit}`;
  try {
    const outcome = await runCheck(parts, forge, queued, id, signal).catch(async (error: unknown) => {
      if (!(error instanceof SandboxLost)) throw error;
      await parts.sandboxes.destroySandbox(id);
      return runCheck(parts, forge, queued, id, signal);
    });
    await forge.finishCheck(queued.claim, outcome);
    log.info({ repository, commit, state: outcome.state }, 'check ended');
  } catch (error) {
    if (signal.aborted) return;
    log.error({ repository, commit, err: error }, 'a check could not run');
    await forge.finishCheck(queued.claim, {
      state: 'errored',
      logExcerpt: error instanceof Error ? error.message : String(error),
    });
  }
  await parts.sandboxes.destroySandbox(id);
}

/** Removes sandboxes of checks whose worker died just after the result. */
async function removeLeft({ parts, forge, log }: CiParts): Promise<void> {
  for (const { id } of await parts.sandboxes.listSandboxes()) {
    const [, repository, commit] = /^ci-(.+)-([0-9a-f]+)$/.exec(id) ?? [];
    if (!repository || !commit) continue;
    try {
      const checks = await forge.listChecks(repository, commit);
      if (checks.every(({ state }) => state !== 'queued' && state !== 'running'))
        await parts.sandboxes.destroySandbox(id);
    } catch (error) {
      log.warn({ repository, commit, err: error }, 'the sandbox of a check could not be removed');
    }
  }
}

async function runCheck(
  { sandboxes, git }: CiParts['parts'],
  forge: LocalForge,
  queued: Queued,
  id: string,
  signal: AbortSignal,
) {
  const { repository: name, commit, command, setup } = queued;
  const repository = await forge.getRepository(name);
  await git.ensureMirror(repository, await forge.gitAccess(repository), signal);
  const base = await git.resolveBase(repository);
  const { cpu, memoryBytes, diskBytes, processes } = defaults.sandbox;
  // A check has no list of hosts. It gets the package registries if the provider can open hosts, else nothing.
  const egress = sandboxes.capabilities.egress ? ['pypi', 'npm'] : [];
  const sandbox = await sandboxes.ensureSandbox(
    { id, resources: { cpu, memoryBytes, diskBytes, processes }, egress, env: { CI: 'true' }, leaseMs: 3_600_000 },
    signal,
  );
  const run = (key: string, argv: string[], stdin?: { path: string }): Promise<CommandResult> =>
    sandbox.run(
      { key, argv, timeoutMs: defaults.timeoutsMs.setup, outputCapBytes: 1024 * 1024, ...(stdin && { stdin }) },
      { signal },
    );
  const checkout = await run(
    'checkout',
    checkoutCommand({
      repository: name,
      commit,
      branch: 'ci',
      author: { name: 'ci', email: 'ci@localhost' },
      base,
    }),
    await git.createCheckoutBundle(repository, commit, { base: base.commit }),
  );
  if (checkout.exitCode !== 0) return { state: 'errored' as const, logExcerpt: await excerpt(checkout) };
  for (const [index, argv] of setup.entries()) {
    const prepared = await run(`setup/${index}`, argv);
    if (prepared.exitCode !== 0) return { state: 'errored' as const, logExcerpt: await excerpt(prepared) };
  }
  const checked = await run('check', command);
  return {
    state: checked.exitCode === 0 ? ('passed' as const) : ('failed' as const),
    logExcerpt: await excerpt(checked),
  };
}

async function excerpt({ stdout, stderr }: CommandResult): Promise<string> {
  const texts = await Promise.all([stdout, stderr].map(({ path }) => readFile(path, 'utf8')));
  return cutText(texts.join('\n').trim(), 12_000);
}
