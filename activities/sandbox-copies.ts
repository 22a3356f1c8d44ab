/** Exact copies of a workspace, made and restored by commands in the sandbox. No trusted code opens the tree. */
import { JigError } from '../base/errors.ts';
import { describeEnding } from '../base/command-endings.ts';
import { defaults } from '../base/defaults.ts';
import { copyImpossible, copyScript, copyTooLarge, restoreScript } from '../git/copy-scripts.ts';
import { systemScript } from '../git/sandbox-scripts.ts';
import type { CommandResult, Sandbox } from '../sandbox/contract.ts';
import { checkOwnEnd } from './activity.ts';
import { mustSucceed, readToolOutput } from './captured-output.ts';
import { SandboxCopy, type CopySandbox, type RestoreSandbox } from './contract.ts';
import { once } from './kept.ts';
import type { Parts } from './parts.ts';

const timeoutMs = defaults.timeoutsMs.copy;

type CopyParts = Pick<Parts, 'artifacts' | 'sandboxes'>;

/**
 * Copies a workspace once for each key: a repeated activity gets the first copy. @throws SandboxLost, CommandCancelled
 */
export async function copySandbox(
  { artifacts, sandboxes }: CopyParts,
  request: CopySandbox,
  signal?: AbortSignal,
): Promise<SandboxCopy> {
  const { value } = await once(artifacts, `copy/${request.key}`, SandboxCopy, async () => {
    const sandbox = await sandboxes.getSandbox(request.sandbox);
    const { path, ...copy } = await copyWorkspace(sandbox, request, signal);
    return path === undefined ? copy : { ...copy, archive: await artifacts.put({ path }, 'application/gzip') };
  });
  return value;
}

/** Restores a copy. Repeatable by key. @throws JigError `restore-failed`, SandboxLost, CommandCancelled */
export async function restoreSandbox(
  { artifacts, sandboxes }: CopyParts,
  { key, sandbox: ref, copy }: RestoreSandbox,
  signal?: AbortSignal,
): Promise<void> {
  if (!copy.archive) throw new JigError('restore-failed', 'There is no copy to restore');
  const path = await artifacts.path(copy.archive);
  const sandbox = await sandboxes.getSandbox(ref);
  const result = await restoreWorkspace(sandbox, { key, path }, signal);
  checkOwnEnd(result, signal);
  await mustSucceed(artifacts, result, 'Restoring the workspace', 'restore-failed');
}

/**
 * Copies the workspace into a file on the trusted side, which is valid until the sandbox is destroyed. If there is no
 * `path`, `reason` says why. Repeatable by key.
 * @throws SandboxLost, CommandCancelled
 */
export async function copyWorkspace(
  sandbox: Sandbox,
  { key, base, maxBytes, ignoredMaxBytes }: Omit<CopySandbox, 'sandbox'>,
  signal?: AbortSignal,
): Promise<Omit<SandboxCopy, 'archive'> & { path?: string }> {
  const result = await sandbox.run(
    {
      key: `${key}/copy`,
      argv: systemScript(copyScript, base, String(maxBytes), String(ignoredMaxBytes)),
      timeoutMs,
      outputCapBytes: maxBytes,
    },
    signal ? { signal } : {},
  );
  checkOwnEnd(result, signal);
  const said = (await readToolOutput(result.stderr, 2000)).trim();
  const [, size, ignored] = /(?:^|\n)(\d+) (kept|left-out)$/.exec(said) ?? [];
  const measured = { sizeBytes: Number(size ?? 0), ignored: ignored === 'left-out' ? ignored : 'kept' } as const;
  const reason = findReason(result, { said, maxBytes, sizeBytes: measured.sizeBytes });
  return reason === undefined ? { ...measured, path: result.stdout.path } : { ...measured, reason };
}

/** Why there is no copy; undefined if there is one. */
function findReason(
  { ending, exitCode, stdout }: CommandResult,
  { said, maxBytes, sizeBytes }: { said: string; maxBytes: number; sizeBytes: number },
): string | undefined {
  if (ending !== 'exited') return `The command that copies the workspace ${describeEnding({ ending, exitCode })}`;
  if (exitCode === copyTooLarge) return `The workspace has ${sizeBytes} bytes, but a copy may have at most ${maxBytes}`;
  if (exitCode === copyImpossible) return `The workspace can't be copied: ${said.slice(-300)}`;
  if (exitCode !== 0)
    return `The command that copies the workspace ${describeEnding({ ending, exitCode })}: ${said.slice(-300)}`;
  if (stdout.droppedBytes > 0) return `The copy has more than ${maxBytes} bytes`;
  return undefined;
}

/** Makes the workspace equal to a copy, which is a file on the trusted side. Repeatable by key. @throws SandboxLost */
export async function restoreWorkspace(
  sandbox: Sandbox,
  { key, path }: { key: string; path: string },
  signal?: AbortSignal,
): Promise<CommandResult> {
  return await sandbox.run(
    {
      key: `${key}/restore`,
      argv: systemScript(restoreScript),
      stdin: { path },
      timeoutMs,
      outputCapBytes: defaults.output.maxKeptBytes,
    },
    signal ? { signal } : {},
  );
}
