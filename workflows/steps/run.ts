import { describeEnding } from '../../base/command-endings.ts';
import { durationMs } from '../../base/durations.ts';
import { nameOutputs } from '../../base/output-names.ts';
import { plural } from '../../base/plural.ts';
import type { RunStep } from '../../blueprints/kinds/run.ts';
import { StepFailed } from '../failures.ts';
import type { StepAction } from '../context.ts';
import { perform } from '../perform.ts';
import { refusedHosts } from '../refused-hosts.ts';
import { command, environment } from '../render.ts';

/** Runs one command in the sandbox. The step fails if the exit code isn't 0. */
export const runStep: StepAction<RunStep> = async (run, { step, key, path, scope }) => {
  const { argv, shown } = command(step.run, scope);
  const { heartbeatTimeoutMs, defaults } = run.opened.settings;
  const timeoutMs = step.timeout ? durationMs(step.timeout) : defaults.timeoutsMs.run;
  const outcome = await perform(
    'runCommand',
    {
      sandbox: await run.absence.ensureSandbox(run),
      key,
      argv,
      env: environment(step.env, scope),
      timeoutMs,
      shown,
      ...(step.parse && { parse: step.parse }),
    },
    {
      summary: shown,
      timeoutMs,
      attempts: (step.retry ?? defaults.retries) + 1,
      heartbeatTimeoutMs,
    },
  );
  const { stdout, stderr, exitCode, durationMs: tookMs } = outcome;
  run.view.keep(path, { artifacts: nameOutputs(outcome) });
  const left = {
    outputs: {
      exitCode,
      stdout: stdout.text,
      stderr: stderr.text,
      durationMs: tookMs,
      ...(outcome.value !== undefined && { value: outcome.value }),
    },
    cut: [...(stdout.cut ? ['stdout'] : []), ...(stderr.cut ? ['stderr'] : [])],
  };
  if (outcome.ending !== 'exited')
    throw new StepFailed(`command-${outcome.ending}`, `${shown} ${describeEnding(outcome)}`, left);
  if (exitCode !== 0) {
    const said = `${refusedHosts(outcome.refused)}${lastLine(stderr.text)}`;
    throw new StepFailed('command-failed', `${shown} ${describeEnding(outcome)}${said}`, left);
  }
  return {
    ...left,
    note: Array.isArray(outcome.value) ? `${outcome.value.length} found` : shortNote(stdout.text, stdout.sizeBytes),
  };
};

/** The command's output if a row has room for it, else its size. */
function shortNote(text: string, sizeBytes: number): string {
  if (text === '') return 'no output';
  return text.length <= 80 && !text.includes('\n') ? text : plural(sizeBytes, 'byte');
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line ? `: ${line.slice(0, 300)}` : '';
}
