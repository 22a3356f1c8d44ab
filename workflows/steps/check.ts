import { defaults } from '../../base/defaults.ts';
import { durationMs } from '../../base/durations.ts';
import type { CheckStep } from '../../blueprints/schema.ts';
import {
  checkCommands,
  recordBaseline,
  summarizeChecks,
  type CheckedCommand,
  type CheckRequest,
} from '../check-commands.ts';
import type { Carried, RenderedCommand, RunContext, StepKindAction } from '../context.ts';
import { StepFailed } from '../failures.ts';
import { command as rendered, environment } from '../render.ts';

/** Commands that decide. With `gate: baseline` they only record what fails before the change. */
export const checkStep: StepKindAction<CheckStep> = async (run, { step, key, path, scope }) => {
  const commands = step.check.map((source) => rendered(source, scope));
  const env = environment(step.env, scope);
  const timeoutMs = step.timeout ? durationMs(step.timeout) : run.opened.settings.checkTimeoutMs;
  const request = checkRequest(run, { key, commands, env, timeoutMs, attempts: (step.retry ?? defaults.retries) + 1 });
  if (step.gate === 'baseline') {
    const before = await recordBaseline(request);
    for (const {
      command: { shown },
      run: ran,
    } of before)
      run.carried.baseline[shown] = ran;
    return result(
      before,
      before
        .map(
          ({ command: { shown }, run: ran, verdict }) => `${shown}: ${ran.tests ? counts(ran.tests) : verdict.reason}`,
        )
        .join('; '),
    );
  }
  rememberGate(run.carried, commands, env, timeoutMs);
  const checked = await checkCommands(request);
  recordChecks(run.carried, path, checked);
  if (checked.some(({ verdict }) => !verdict.passed)) throw new StepFailed('check-failed', summarizeChecks(checked));
  return result(checked, summarizeChecks(checked));
};

const counts = (tests: { passed: number; failed: number; skipped: number }): string =>
  `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`;

function result(checked: CheckedCommand[], note: string) {
  const failed = checked.filter(({ run }) => run.exitCode !== 0).map(({ command: { shown } }) => shown);
  const artifacts = checked.flatMap(({ outcome }, index) =>
    outcome.stdout.artifact ? [[`stdout-${index}`, outcome.stdout.artifact] as const] : [],
  );
  return { outputs: { passed: failed.length === 0, failed }, note, artifacts: Object.fromEntries(artifacts) };
}

export function checkRequest(
  run: RunContext,
  more: Pick<CheckRequest, 'key' | 'commands' | 'env' | 'timeoutMs' | 'attempts'>,
): CheckRequest {
  return {
    ...more,
    sandbox: run.sandbox,
    heartbeatTimeoutMs: run.opened.settings.heartbeatTimeoutMs,
    baseline: run.carried.baseline,
  };
}

/** What has decided on the work in the sandbox decides once more on the exported commits, in no less time. */
export function rememberGate(
  { gates }: Carried,
  commands: RenderedCommand[],
  env: Record<string, string>,
  timeoutMs: number,
): void {
  for (const command of commands) {
    const known = gates.find((gate) => gate.command.shown === command.shown);
    if (known) known.timeoutMs = Math.max(known.timeoutMs, timeoutMs);
    else gates.push({ command, env, timeoutMs });
  }
}

export function recordChecks(carried: Carried, step: string, checked: Pick<CheckedCommand, 'run' | 'verdict'>[]): void {
  for (const { run, verdict } of checked) carried.checks.push({ step, run, verdict });
}
