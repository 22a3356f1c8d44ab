/** Runs the commands of a check and compares each with what it did before the change. Every gate uses it. */
import type { CommandReport } from '../activities/contract.ts';
import type { verifyFeedback } from '../agent/prompts.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import { nameOutputs } from '../base/output-names.ts';
import { findCommand } from '../evidence/command-identity.ts';
import { decideCheck, describeResult, type CheckResult, type Verdict } from '../evidence/gate.ts';
import { isOfSurroundings } from '../evidence/obstacles.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { CheckCommand } from './context.ts';
import { StepFailed } from './failures.ts';
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
  /** Whether new files that the commands make stay out of the change. */
  keepOut?: boolean;
  /** Shows where the output of a command is kept, as soon as the command has ended. */
  keep: (outputs: Record<string, ArtifactRef>) => void;
  /** The number of the first command among all that are shown together; 0 if missing. */
  firstNumber?: number;
}

/**
 * Runs every command in order, also after one has failed, so that everything that is left to do is reported together.
 * If `isLast`, nothing can be mended after it, so a command that fails runs a second time, to tell whether it is flaky.
 */
export async function checkCommands(request: CheckRequest, isLast: boolean): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const known = findCommand(request.baseline, command);
    const counts = command.counts ?? known?.counts;
    const reported = { ...command, ...(counts && { counts }) };
    const outcome = await runOnce(request, reported, { index });
    const before = known?.result;
    let result = outcome.check;
    if (isLast && !result.obstacle && !decideCheck(result, before).passed) {
      const again = await runOnce(request, reported, { index, isAgain: true });
      if (decideCheck(again.check, before).passed) result = { ...result, flaky: true };
    }
    const { passed, reason } = decideCheck(result, before);
    const verdict = { passed, reason: `${reason}${refusedHosts(outcome.refused)}` };
    checked.push({ command, outcome, result, verdict, ...(before && { before }) });
  }
  return checked;
}

/** What a check before the change is for. */
export interface Before {
  gate: 'baseline' | 'turn-green';
  /** With `turn-green`: a text that the output must hold. */
  says?: string;
}

/**
 * Runs the commands before the change. A command that fails runs a second time, to tell a flaky check from a broken
 * one.
 * @throws StepFailed `environment` as soon as a command can't do its work here
 */
export async function recordBaseline(request: CheckRequest, { gate, says }: Before): Promise<CheckedCommand[]> {
  const checked: CheckedCommand[] = [];
  for (const [index, command] of request.commands.entries()) {
    const first = await runOnce(request, command, { index, says });
    const { obstacle } = first.check;
    if (obstacle && isOfSurroundings(obstacle)) throw new StepFailed('environment', couldNotWork(command, first.check));
    const second = first.exitCode === 0 ? undefined : await runOnce(request, command, { index, says, isAgain: true });
    const result = second ? bothResults(first.check, second.check) : first.check;
    const verdict = gate === 'baseline' ? describeBefore(result) : decideRed(result, first.saysSo ?? true);
    const reason = `${verdict.reason}${refusedHosts(first.refused)}`;
    const mustTurnGreen = gate === 'turn-green' && { mustTurnGreen: true };
    checked.push({ command, outcome: first, result: { ...result, ...mustTurnGreen }, verdict: { ...verdict, reason } });
  }
  return checked;
}

/**
 * What to change in the surroundings before the commands can say anything; undefined if they all did their work. A
 * command that worked before the change, or that reached a limit, may fail because of the change.
 */
export function findSurroundings(checked: CheckedCommand[]): string | undefined {
  const found = checked.find(
    ({ result: { obstacle }, before }) =>
      !before && obstacle && obstacle.kind !== 'limit' && isOfSurroundings(obstacle),
  );
  return found && couldNotWork(found.command, found.result);
}

const couldNotWork = ({ shown }: CheckCommand, { obstacle }: CheckResult): string =>
  `${shown} could not do its work: ${obstacle?.what ?? ''}`;

/** One result of two runs, of which the first failed: what failed in either of them can fail. */
function bothResults(first: CheckResult, second: CheckResult): CheckResult {
  if (second.exitCode === 0) return { ...first, flaky: true };
  const failures = first.failures && second.failures && [...new Set([...first.failures, ...second.failures])];
  const lines = first.lines && second.lines && [...new Set([...first.lines, ...second.lines])];
  const isFlaky =
    failures && (failures.length > (first.failures?.length ?? 0) || failures.length > (second.failures?.length ?? 0));
  return { ...first, ...(failures && { failures }), ...(lines && { lines }), ...(isFlaky && { flaky: true }) };
}

function describeBefore({ exitCode, flaky, obstacle }: CheckResult): Verdict {
  if (flaky) return { passed: true, reason: 'flaky before the change' };
  if (exitCode === 0) return { passed: true, reason: 'passes before the change' };
  return {
    passed: true,
    reason: `fails before the change${obstacle ? `, because it could not do its work: ${obstacle.what}` : ''}`,
  };
}

/** Whether the command fails before the change as a check must that is to turn green. */
function decideRed({ exitCode, flaky, obstacle, tests }: CheckResult, saysSo: boolean): Verdict {
  const no = (reason: string): Verdict => ({ passed: false, reason });
  if (exitCode === 0) return no('it passes before the change, so it can’t show what the change does');
  if (flaky) return no('it is flaky before the change, so it can’t show what the change does');
  if (obstacle ?? tests?.crashed)
    return no(`before the change it could not do its work: ${obstacle?.what ?? 'the test runner broke off'}`);
  if (!saysSo) return no('it fails before the change, but not with the text that `fails-with` names');
  return { passed: true, reason: 'fails before the change, as it should' };
}

async function runOnce(
  request: CheckRequest,
  { argv, env, shown, counts }: CheckCommand,
  { index, isAgain = false, says }: { index: number; isAgain?: boolean; says?: string | undefined },
): Promise<CommandReport> {
  const { sandbox, timeoutMs, attempts, heartbeatTimeoutMs, keepOut } = request;
  const check = { ...(counts && { counts }), ...(says !== undefined && { says }) };
  const key = `${request.key}/${index}${isAgain ? '/again' : ''}`;
  const report = await perform(
    'runCommand',
    { sandbox, key, argv, env, timeoutMs, shown, check, ...(keepOut && { keepOut: {} }) },
    { summary: shown, timeoutMs, attempts, heartbeatTimeoutMs },
  );
  request.keep(nameOutputs(report, `${(request.firstNumber ?? 0) + index}${isAgain ? '-again' : ''}`));
  return report;
}

/** `3 checks pass`, or what fails. */
export function summarizeChecks(checked: CheckedCommand[]): string {
  const failed = checked.filter(({ verdict }) => !verdict.passed);
  if (failed.length > 0) return failed.map(({ command, verdict }) => `${command.shown}: ${verdict.reason}`).join('; ');
  return checked
    .map(
      ({ command, result, verdict }) => `${command.shown}: ${result.tests ? describeResult(result) : verdict.reason}`,
    )
    .join('; ');
}

/** What a model is told about a command that failed. */
export function describeFailed({
  command,
  result,
  before,
  verdict,
  outcome,
}: CheckedCommand): Parameters<typeof verifyFeedback>[0][number] {
  const output = `${outcome.stdout.text}\n${outcome.stderr.text}${result.exitCode === 0 || outcome.refused || (before && before.exitCode !== 0) ? `\n${verdict.reason}` : ''}`;
  return { command: command.shown, exitCode: result.exitCode, ending: result.ending, output };
}
