import { durationMs } from '../../base/durations.ts';
import type { CheckStep } from '../../blueprints/kinds/check.ts';
import { findCommand } from '../../evidence/command-identity.ts';
import {
  checkCommands,
  recordBaseline,
  summarizeChecks,
  type CheckedCommand,
  type CheckRequest,
} from '../check-commands.ts';
import type { CheckCommand, RunContext, StepAction } from '../context.ts';
import { StepFailed } from '../failures.ts';
import type { CheckRecord, RunMemory } from '../memory.ts';
import { command as rendered, environment } from '../render.ts';

/** Runs commands that decide. With `gate: baseline` it only records what fails before the change. */
export const checkStep: StepAction<CheckStep> = async (run, { step, key, path, scope }) => {
  const { memory } = run;
  const env = environment(step.env, scope);
  const commands = step.check.map((source) => ({ ...rendered(source, scope), env }));
  const { checkTimeoutMs, defaults } = run.opened.settings;
  const timeoutMs = step.timeout ? durationMs(step.timeout) : checkTimeoutMs;
  const sandbox = await run.absence.ensureSandbox(run);
  const attempts = (step.retry ?? defaults.retries) + 1;
  const request = checkRequest(run, { sandbox, key, commands, timeoutMs, attempts });
  if (step.gate === 'baseline') {
    const before = await recordBaseline(request);
    for (const { command, run: ran } of before) rememberBaseline(memory, command, ran);
    return result(before, before.map(describeBaseline).join('; '));
  }
  rememberGates(memory, commands, timeoutMs);
  const checked = await checkCommands(request);
  recordChecks(memory, path, checked);
  const summary = summarizeChecks(checked);
  const ended = result(checked, summary);
  if (checked.some(({ verdict }) => !verdict.passed)) throw new StepFailed('check-failed', summary, ended);
  return ended;
};

function describeBaseline({ command: { shown }, run: { tests }, verdict }: CheckedCommand): string {
  if (!tests) return `${shown}: ${verdict.reason}`;
  return `${shown}: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`;
}

function result(checked: CheckedCommand[], note: string) {
  const failed = checked.filter(({ run }) => run.exitCode !== 0).map(({ command: { shown } }) => shown);
  const artifacts = checked.flatMap(({ outcome }, index) =>
    outcome.stdout.artifact ? [[`stdout-${index}`, outcome.stdout.artifact] as const] : [],
  );
  return { outputs: { passed: failed.length === 0, failed }, note, artifacts: Object.fromEntries(artifacts) };
}

/** The request to run a check's commands, with the run's baseline. */
export function checkRequest(
  run: RunContext,
  more: Pick<CheckRequest, 'sandbox' | 'key' | 'commands' | 'timeoutMs' | 'attempts'>,
): CheckRequest {
  const { heartbeatTimeoutMs } = run.opened.settings;
  return { ...more, heartbeatTimeoutMs, baseline: run.memory.baseline };
}

/** Remembers what a command did before the change. The last record of a command counts. */
function rememberBaseline({ baseline }: RunMemory, { argv, env }: CheckCommand, ran: CheckedCommand['run']): void {
  const known = findCommand(baseline, { argv, env });
  if (known) known.run = ran;
  else baseline.push({ argv, env, run: ran });
}

/**
 * Remembers the commands that decided in the sandbox, so that they decide again on the exported commit with at least as
 * much time.
 */
export function rememberGates({ gates }: RunMemory, commands: CheckCommand[], timeoutMs: number): void {
  for (const command of commands) {
    const known = findCommand(gates, command);
    if (known) known.timeoutMs = Math.max(known.timeoutMs, timeoutMs);
    else gates.push({ ...command, timeoutMs });
  }
}

export function recordChecks({ checks }: RunMemory, step: string, checked: Omit<CheckRecord, 'step'>[]): void {
  for (const { run, before, verdict } of checked) checks.push({ step, run, verdict, ...(before && { before }) });
}
