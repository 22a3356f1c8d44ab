/** Runs the commands of a check and compares each with what it did before the change. Every gate uses it. */
import type { CommandReport } from '../activities/contract.ts';
import { findCommand } from '../evidence/command-identity.ts';
import { decideCheck, type CheckResult, type Verdict } from '../evidence/gate.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { CheckCommand } from './context.ts';
import type { BaselineResult } from './memory.ts';
import { perform } from './perform.ts';
import { refusedHosts } from './refused-hosts.ts';

/** A command that ran, and the verdict on it. */
export interface CheckedCommand {
  command: CheckCommand;
  outcome: CommandReport;
  result: CheckResult;
  /** What the same command did before the change. */
  before?: CheckResult;
  verdict: Verdict;
}

/** The commands of a check, and how to run them. */
export interface CheckRequest {
  sandbox: SandboxRef;
  /** Names the check's commands within the sandbox. */
  key: string;
  commands: CheckCommand[];
  timeoutMs: number;
  attempts: number;
  heartbeatTimeoutMs: number;
  baseline: BaselineResult[];
}

/**
 * Runs every command in order, also after one has failed, so that everything that is left to do is reported together.
 */
export async function checkCommands(request: CheckRequest): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const outcome = await runOnce(request, command, `${request.key}/${index}`);
    const before = findCommand(request.baseline, command)?.result;
    const { passed, reason } = decideCheck(outcome.check, before);
    const verdict = { passed, reason: `${reason}${refusedHosts(outcome.refused)}` };
    checked.push({ command, outcome, result: outcome.check, verdict, ...(before && { before }) });
  }
  return checked;
}

/**
 * Runs the commands before the change. A command that fails runs a second time, to tell a flaky check from a broken
 * one.
 */
export async function recordBaseline(request: CheckRequest): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const key = `${request.key}/${index}`;
    const first = await runOnce(request, command, key);
    const second = first.exitCode === 0 ? undefined : await runOnce(request, command, `${key}/again`);
    const result: CheckResult =
      second && second.exitCode !== first.exitCode ? { ...first.check, flaky: true } : first.check;
    const how = result.exitCode === 0 ? 'passes before the change' : 'fails before the change';
    const reason = `${result.flaky ? 'flaky before the change' : how}${refusedHosts(first.refused)}`;
    checked.push({ command, outcome: first, result, verdict: { passed: true, reason } });
  }
  return checked;
}

function runOnce(request: CheckRequest, { argv, env, shown }: CheckCommand, key: string): Promise<CommandReport> {
  const { sandbox, timeoutMs, attempts, heartbeatTimeoutMs } = request;
  return perform(
    'runCommand',
    { sandbox, key, argv, env, timeoutMs, shown },
    { summary: shown, timeoutMs, attempts, heartbeatTimeoutMs },
  );
}

/** `3 checks pass`, or what fails. */
export function summarizeChecks(checked: CheckedCommand[]): string {
  const failed = checked.filter(({ verdict }) => !verdict.passed);
  if (failed.length > 0) return failed.map(({ command, verdict }) => `${command.shown}: ${verdict.reason}`).join('; ');
  return checked
    .map(({ command, result, verdict }) => `${command.shown}: ${summarizeTests(result) ?? verdict.reason}`)
    .join('; ');
}

function summarizeTests({ tests }: CheckResult): string | undefined {
  return tests && `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`;
}
