import { workflowInfo } from '@temporalio/workflow';
import { verifyFeedback } from '../../agent/prompts.ts';
import type { CiOutcome } from '../../activities/contract.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { nameOutputs } from '../../base/output-names.ts';
import { durationMs } from '../../base/durations.ts';
import type { CiStep } from '../../blueprints/kinds/ci.ts';
import { isBudgetSpent } from '../budget.ts';
import type { RunContext, StepAction, StepPlace } from '../context.ts';
import { RunEnded, StepFailed } from '../failures.ts';
import type { OpenedChange } from '../memory.ts';
import { perform } from '../perform.ts';
import { command, environment } from '../render.ts';
import { commitBefore, runAgent } from './agent.ts';
import { correctable } from '../agent.ts';
import { exportWork, findChangeStep } from '../export-work.ts';
import { surprisesOf } from '../remarks.ts';
import { decideOnCleanCheckout, publish } from './change.ts';

/**
 * Waits for the forge's checks. After a failure it runs the autofixes and one round of the last agent, pushes a second
 * time and waits again. If that fails too, it hands over to a person; there is never a third wait.
 */
export const ciStep: StepAction<CiStep> = async (run, place) => {
  const { step, key, path } = place;
  const { defaults } = run.opened.settings;
  const rounds = step.ci.rounds ?? defaults.ci.rounds;
  for (let round = 1; ; round += 1) {
    const { change } = run.memory;
    if (!change) throw new StepFailed('ci-without-change', 'There is no change, so there are no checks to wait for');
    const outcome = await awaitChecks(run, change, step.ci.wait ? durationMs(step.ci.wait) : defaults.ci.waitMs);
    if (outcome.state === 'passed' || outcome.state === 'none') {
      if (outcome.state === 'passed') becomeChecked(run, change);
      return {
        outputs: { passed: outcome.state === 'passed', rounds: round },
        note:
          outcome.state === 'none' ? 'the forge has no checks' : `${outcome.checks.length} passed in round ${round}`,
      };
    }
    const repaired =
      outcome.state === 'failed' &&
      round < rounds &&
      (await repair(run, place, change, outcome, `${key}/round-${round + 1}`));
    if (!repaired) await handOver(run, path, change, outcome, round);
  }
};

async function awaitChecks(run: RunContext, change: OpenedChange, waitMs: number): Promise<CiOutcome> {
  const wait = () =>
    perform(
      'awaitChecks',
      { repository: run.opened.repository, commit: change.commit, waitMs },
      {
        summary: `checks of #${change.number}`,
        timeoutMs: waitMs + 60_000,
        heartbeatTimeoutMs: run.opened.settings.heartbeatTimeoutMs,
      },
    );
  return run.clock.wait(() => run.view.whileCi(wait));
}

/** The code host's checks have decided on the change. What it says of itself stays as it was opened. */
function becomeChecked({ view }: RunContext, change: OpenedChange): void {
  delete change.unchecked;
  delete view.state.change?.unchecked;
}

/** Failures that mean that the round didn't help. Any other failure ends the run with its own code. */
const notRepaired: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'verify-failed',
  'gate-failed',
  'unusable-answers',
  'repeated-calls',
  ...[...correctable].filter((code) => code !== 'path-not-allowed'),
]);

/** Returns true if a second commit was pushed. What can't be repaired here is handed over to a person. */
async function repair(
  run: RunContext,
  place: StepPlace<CiStep>,
  change: OpenedChange,
  outcome: CiOutcome,
  key: string,
): Promise<boolean> {
  try {
    return await repairAndPush(run, place, change, outcome, key);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    const isOwnBound = error.code === 'budget-exceeded' && !isBudgetSpent(run);
    if (notRepaired.has(error.code) || isOwnBound) return false;
    throw error;
  }
}

async function repairAndPush(
  run: RunContext,
  { step, path, scope }: StepPlace<CiStep>,
  change: OpenedChange,
  outcome: CiOutcome,
  key: string,
): Promise<boolean> {
  const env = environment(step.env, scope);
  for (const [index, source] of (step.ci.autofix ?? []).entries()) {
    const { argv, shown } = command(source, scope);
    const timeoutMs = run.opened.settings.checkTimeoutMs;
    const report = await perform(
      'runCommand',
      { sandbox: await run.absence.ensureSandbox(run), key: `${key}/autofix/${index}`, argv, env, timeoutMs, shown },
      { summary: `autofix: ${shown}`, timeoutMs, heartbeatTimeoutMs: run.opened.settings.heartbeatTimeoutMs },
    );
    run.view.keep(path, { artifacts: nameOutputs(report, `autofix-${index}`) });
  }
  await askAgent(run, path, outcome, key);
  const only = findChangeStep(run)?.change.only;
  const exported = await exportWork(run, {
    key,
    title: change.title,
    parent: change.commit,
    ...(only && { only }),
  });
  if (!exported.commit) return false;
  if (change.gate === 'clean') await decideOnCleanCheckout(run, path, key, exported.commit);
  await publish(run, { ...change, commit: exported.commit, surprises: surprisesOf(exported) });
  return true;
}

/** Tells the agent that ran last what failed, in the same conversation. */
async function askAgent(run: RunContext, path: string, outcome: CiOutcome, key: string): Promise<void> {
  const { lastAgent, conversations } = run.memory;
  const last = lastAgent === undefined ? undefined : conversations[lastAgent];
  if (lastAgent === undefined || last?.kind !== 'agent') return;
  const failed = outcome.checks
    .filter(({ state }) => state !== 'passed')
    .map(({ name, logExcerpt = '' }) => ({ command: name, exitCode: 1, output: logExcerpt }));
  const feedback = verifyFeedback(failed, { number: 2, of: run.opened.settings.defaults.ci.rounds });
  // Other steps and the autofixes may have changed what the agent may not.
  const since = last.work.allowPaths && { since: await commitBefore(run, key) };
  await runAgent(run, {
    path: lastAgent,
    key,
    title: `${path}: repair`,
    work: { ...last.work, ...since },
    asked: last.asked,
    say: [...last.unsaid, { role: 'user', content: `The checks of the code host failed.\n\n${feedback}` }],
    transcript: last.transcript,
  });
}

async function handOver(
  run: RunContext,
  path: string,
  change: OpenedChange,
  outcome: CiOutcome,
  round: number,
): Promise<never> {
  const reason =
    outcome.state === 'timeout'
      ? 'The checks of the code host did not finish in time'
      : `The checks of the code host failed in round ${round}`;
  const excerpt = outcome.excerpt ? `\n\n~~~text\n${outcome.excerpt.replaceAll('~~~', '~ ~ ~')}\n~~~\n` : '';
  await perform(
    'comment',
    {
      repository: run.opened.repository,
      number: change.number,
      marker: `${workflowInfo().workflowId} needs-human`,
      body: `**Needs a human.** ${reason}.${excerpt}`,
    },
    { summary: `#${change.number} needs a human`, heartbeatTimeoutMs: run.opened.settings.heartbeatTimeoutMs },
  );
  throw new RunEnded({
    outcome: 'needs-human',
    code: outcome.state === 'timeout' ? 'ci-timeout' : 'ci-failed',
    reason,
    step: path,
  });
}
