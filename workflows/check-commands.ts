/** Runs the commands of a check, each held against what it did before the change. Used by every gate. */
import type { CommandReport } from '../activities/contract.ts';
import { decideCheck, type CheckRun, type Verdict } from '../evidence/gate.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { RenderedCommand } from './context.ts';
import { perform } from './perform.ts';
import { refusedHosts } from './refused-hosts.ts';

export interface CheckedCommand {
  command: RenderedCommand;
  outcome: CommandReport;
  run: CheckRun;
  verdict: Verdict;
}

export interface CheckRequest {
  sandbox: SandboxRef;
  /** Names the check's commands within the sandbox. */
  key: string;
  commands: RenderedCommand[];
  env: Record<string, string>;
  timeoutMs: number;
  attempts: number;
  heartbeatTimeoutMs: number;
  baseline: Record<string, CheckRun>;
}

/** Every command runs, in order, also after a failed one: what is left is told whole. */
export async function checkCommands(request: CheckRequest): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const outcome = await runOnce(request, command, `${request.key}/${index}`);
    const { passed, reason } = decideCheck(outcome.check, request.baseline[command.shown]);
    checked.push({
      command,
      outcome,
      run: outcome.check,
      verdict: { passed, reason: `${reason}${refusedHosts(outcome.refused)}` },
    });
  }
  return checked;
}

/** The same before the change: what fails is asked a second time, so that a flake is told from a fault. */
export async function recordBaseline(request: CheckRequest): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const key = `${request.key}/${index}`;
    const first = await runOnce(request, command, key);
    const second = first.exitCode === 0 ? undefined : await runOnce(request, command, `${key}/again`);
    const run: CheckRun = second && second.exitCode !== first.exitCode ? { ...first.check, flaky: true } : first.check;
    const reason = run.flaky
      ? 'flaky before the change'
      : run.exitCode === 0
        ? 'passes before the change'
        : 'fails before the change';
    checked.push({
      command,
      outcome: first,
      run,
      verdict: { passed: true, reason: `${reason}${refusedHosts(first.refused)}` },
    });
  }
  return checked;
}

function runOnce(request: CheckRequest, command: RenderedCommand, key: string): Promise<CommandReport> {
  const { sandbox, env, timeoutMs, attempts, heartbeatTimeoutMs } = request;
  return perform(
    'runCommand',
    { sandbox, key, argv: command.argv, env, timeoutMs, shown: command.shown },
    { summary: command.shown, timeoutMs, attempts, heartbeatTimeoutMs },
  );
}

/** `3 checks pass`, or what fails. */
export function summarizeChecks(checked: CheckedCommand[]): string {
  const failed = checked.filter(({ verdict }) => !verdict.passed);
  if (failed.length === 0)
    return checked
      .map(
        ({ command, run, verdict }) =>
          `${command.shown}: ${run.tests ? `${run.tests.passed} passed, ${run.tests.failed} failed, ${run.tests.skipped} skipped` : verdict.reason}`,
      )
      .join('; ');
  return failed.map(({ command, verdict }) => `${command.shown}: ${verdict.reason}`).join('; ');
}
