import { durationMs } from '../../base/durations.ts';
import type { CheckStep } from '../../blueprints/kinds/check.ts';
import { describeResult } from '../../evidence/gate.ts';
import { findCommand } from '../../evidence/command-identity.ts';
import {
  checkCommands,
  findSurroundings,
  recordBaseline,
  summarizeChecks,
  type Before,
  type CheckedCommand,
  type CheckRequest,
} from '../check-commands.ts';
import type { CheckCommand, RunContext, StepAction, StepResult } from '../context.ts';
import { StepFailed } from '../failures.ts';
import type { CheckRecord, RunMemory } from '../memory.ts';
import { command as rendered, environment } from '../render.ts';

/**
 * Runs commands that decide. With `gate: baseline` it only records what fails before the change; with `turn-green`, what
 * must fail before it and pass after it.
 */
export const checkStep: StepAction<CheckStep> = async (run, { step, key, path, scope }) => {
  const { memory } = run;
  const env = environment(step.env, scope);
  const { counts } = step;
  const commands = step.check.map((source) => ({ ...rendered(source, scope), env, ...(counts && { counts }) }));
  const { checkTimeoutMs, defaults } = run.opened.settings;
  const timeoutMs = step.timeout ? durationMs(step.timeout) : checkTimeoutMs;
  const sandbox = await run.absence.ensureSandbox(run);
  const attempts = (step.retry ?? defaults.retries) + 1;
  const keepOut = canKeepOut(run);
  const request = { ...checkRequest(run, path, { sandbox, key, commands, timeoutMs, attempts }), keepOut };
  if (step.gate === 'baseline' || step.gate === 'turn-green') {
    const says = step['fails-with'];
    if (step.gate === 'turn-green') rememberGates(memory, key, commands, timeoutMs);
    return recordBefore(memory, request, { gate: step.gate, ...(says !== undefined && { says }) }, key === path);
  }
  rememberGates(memory, key, commands, timeoutMs);
  const checked = await checkCommands(request, true);
  recordChecks(memory, path, checked);
  const surroundings = findSurroundings(checked);
  if (surroundings !== undefined) throw new StepFailed('environment', surroundings);
  const summary = summarizeChecks(checked);
  const failed = checked.filter(({ result }) => result.exitCode !== 0).map(({ command }) => command);
  const ended = stepResult(failed, summary);
  if (checked.some(({ verdict }) => !verdict.passed))
    throw new StepFailed('check-failed', summary, { outputs: ended.outputs });
  return ended;
};

/**
 * Runs what is not known yet. A command that was recorded already, in an earlier round or for an earlier item, is not:
 * the change may have begun since then. For the same reason, a baseline is only remembered if the step is not done
 * again: it would excuse what the run itself broke. What must turn green excuses nothing.
 */
async function recordBefore(
  memory: RunMemory,
  request: CheckRequest,
  before: Before,
  isFirstTime: boolean,
): Promise<StepResult> {
  const find = (command: CheckCommand) => findCommand(memory.baseline, command)?.result;
  const isKnown = (command: CheckCommand) =>
    before.gate === 'baseline' ? find(command) !== undefined : find(command)?.mustTurnGreen === true;
  const known = request.commands.filter(isKnown);
  const commands = request.commands.filter((command) => !known.includes(command));
  const recorded = await recordBaseline({ ...request, commands }, before);
  const resultOf = (command: CheckCommand) =>
    find(command) ?? recorded.find((each) => each.command === command)?.result;
  const failed = request.commands.filter((command) => resultOf(command)?.exitCode !== 0);
  const notes = [...recorded.map(describeBaseline), ...known.map(({ shown }) => `${shown}: recorded before`)];
  const ended = stepResult(failed, notes.join('; '));
  if (recorded.some(({ verdict }) => !verdict.passed))
    throw new StepFailed('check-failed', summarizeChecks(recorded), { outputs: ended.outputs });
  if (isFirstTime || before.gate === 'turn-green')
    for (const { command, result } of recorded) rememberBaseline(memory, command, result);
  return ended;
}

function describeBaseline({ command: { shown }, result, verdict }: CheckedCommand): string {
  return `${shown}: ${result.tests ? describeResult(result) : verdict.reason}`;
}

function stepResult(failed: CheckCommand[], note: string): StepResult {
  return { outputs: { passed: failed.length === 0, failed: failed.map(({ shown }) => shown) }, note };
}

/** Whether what a command makes can be told apart: not while other steps may be at work. */
export const canKeepOut = ({ atOnce }: RunContext): boolean => atOnce === 1;

/** The request to run a check's commands, with the run's baseline. Their outputs are shown with the row `path`. */
export function checkRequest(
  { opened, memory, view }: RunContext,
  path: string,
  more: Omit<CheckRequest, 'heartbeatTimeoutMs' | 'baseline' | 'keep'>,
): CheckRequest {
  const { heartbeatTimeoutMs } = opened.settings;
  const keep: CheckRequest['keep'] = (artifacts) => view.keep(path, { artifacts });
  return { ...more, heartbeatTimeoutMs, baseline: memory.baseline, keep };
}

/** Remembers what a command did before the change. The first record of a command counts. */
function rememberBaseline({ baseline }: RunMemory, command: CheckCommand, result: CheckedCommand['result']): void {
  const { argv, env, counts } = command;
  const known = findCommand(baseline, command);
  if (known) known.result = { ...known.result, ...(result.mustTurnGreen && { mustTurnGreen: true }) };
  else baseline.push({ argv, env, result, ...(counts && { counts }) });
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
