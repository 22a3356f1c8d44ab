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
    // Done again after the work was sent back, it would excuse what the run itself broke.
    if (key === path) for (const { command, result } of before) rememberBaseline(memory, command, result);
    return stepResult(before, before.map(describeBaseline).join('; '));
  }
  rememberGates(memory, key, commands, timeoutMs);
  const checked = await checkCommands(request);
  recordChecks(memory, path, checked);
  const summary = summarizeChecks(checked);
  const ended = stepResult(checked, summary);
  if (checked.some(({ verdict }) => !verdict.passed))
    throw new StepFailed('check-failed', summary, { outputs: ended.outputs });
  return ended;
};

function describeBaseline({ command: { shown }, result: { tests }, verdict }: CheckedCommand): string {
  if (!tests) return `${shown}: ${verdict.reason}`;
  return `${shown}: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`;
}

function stepResult(checked: CheckedCommand[], note: string) {
  const failed = checked.filter(({ result }) => result.exitCode !== 0).map(({ command: { shown } }) => shown);
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
function rememberBaseline(
  { baseline }: RunMemory,
  { argv, env }: CheckCommand,
  result: CheckedCommand['result'],
): void {
  const known = findCommand(baseline, { argv, env });
  if (known) known.result = result;
  else baseline.push({ argv, env, result });
}

/**
 * Remembers the commands that decided in the sandbox, so that they decide again on the exported commit with at least as
 * much time.
 */
export function rememberGates(
  { gates }: Pick<RunMemory, 'gates'>,
  step: string,
  commands: CheckCommand[],
  timeoutMs: number,
): void {
  for (const command of commands) {
    const known = findCommand(gates, command);
    if (!known) gates.push({ ...command, timeoutMs, steps: [step] });
    else {
      known.timeoutMs = Math.max(known.timeoutMs, timeoutMs);
      if (!known.steps.includes(step)) known.steps.push(step);
    }
  }
}

export function recordChecks({ checks }: RunMemory, step: string, checked: Omit<CheckRecord, 'step'>[]): void {
  for (const { result, before, verdict } of checked) checks.push({ step, result, verdict, ...(before && { before }) });
}
