/** Checks what an installation has and lacks before a first run. Leaves no lasting changes. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { describeEnding } from '../base/command-endings.ts';
import { JigError, type ErrorCode } from '../base/errors.ts';
import { connectClient } from '../client/client.ts';
import { findWaitingRuns, describeWaitingRuns, type WaitingRuns } from '../client/versions.ts';
import { chooseModel } from '../model/choose-model.ts';
import type { SandboxProvider } from '../sandbox/contract.ts';
import { dataDirOf, type Config } from './config.ts';
import { createSandboxes } from './sandboxes.ts';

/** How long a command that does nothing may take. */
const tryMs = 60_000;
const tryResources = { cpu: 0.1, memoryBytes: 128 * 1024 ** 2, diskBytes: 64 * 1024 ** 2, processes: 64 };

/** The result of one check. */
export interface Finding {
  what: string;
  /** `missing` prevents every run, `note` only some. */
  state: 'ok' | 'note' | 'missing';
  message: string;
  code?: ErrorCode;
  hint?: string;
}

type Check = (config: Config, env: NodeJS.ProcessEnv) => Promise<Finding[]>;

const checks: Record<string, Check> = {
  git: checkGit,
  sandboxes: checkSandboxes,
  Temporal: checkTemporal,
  model: checkModel,
};

/**
 * Yields one finding after the other. `onCheck` is called before each check, which may take some seconds. Never throws.
 */
export async function* examine(
  config: Config,
  env: NodeJS.ProcessEnv,
  onCheck: (what: string) => void,
): AsyncIterable<Finding> {
  for (const [what, check] of Object.entries(checks)) {
    onCheck(what);
    try {
      yield* await check(config, env);
    } catch (error) {
      yield failed(what, error, 'missing');
    }
  }
}

function failed(what: string, error: unknown, state: Finding['state']): Finding {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof JigError)) return { what, state, message };
  return { what, state, message, code: error.code, ...(error.hint !== undefined && { hint: error.hint }) };
}

async function checkGit(): Promise<Finding[]> {
  const { stdout, failed: isMissing } = await execa('git', ['--version'], { reject: false });
  return [
    isMissing
      ? {
          what: 'git',
          state: 'missing',
          message: 'git is not installed',
          code: 'program-missing',
          hint: 'Install the package `git`.',
        }
      : { what: 'git', state: 'ok', message: stdout.trim() },
  ];
}

async function checkSandboxes(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { sandboxes, close } = await createSandboxes(config, env, () => undefined);
  try {
    const issues = await sandboxes.checkHost();
    const { isolation, egress } = sandboxes.capabilities;
    const what = `sandboxes (${sandboxes.name})`;
    if (isolation === 'none') return [{ what, state: 'note', message: 'commands run without any isolation' }];
    if (issues.length > 0) return issues.map((issue) => ({ what, state: 'missing', ...issue }));
    await tryCommand(sandboxes);
    return [
      {
        what,
        state: 'ok',
        message: `a command ran; isolated by ${isolation === 'pod' ? 'pods' : isolation}, ${egress ? 'commands reach only the hosts that a blueprint lists' : 'commands reach no network'}`,
      },
    ];
  } finally {
    await close();
  }
}

/** Runs one command in a new sandbox, in the same way as every run. @throws if it doesn't end well */
async function tryCommand(sandboxes: SandboxProvider): Promise<void> {
  const id = `doctor-${randomUUID()}`;
  try {
    const sandbox = await sandboxes.ensureSandbox({
      id,
      resources: tryResources,
      egress: [],
      env: {},
      leaseMs: tryMs,
    });
    const { ending, exitCode, stderr } = await sandbox.run({
      key: 'try',
      argv: ['true'],
      timeoutMs: tryMs,
      outputCapBytes: 4096,
    });
    if (ending === 'exited' && exitCode === 0) return;
    throw new Error(
      `In a sandbox, \`true\` ${describeEnding({ ending, exitCode })}: ${(await readFile(stderr.path, 'utf8')).trim()}`,
    );
  } finally {
    await sandboxes.destroySandbox(id);
  }
}

async function checkTemporal(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  try {
    const client = await connectClient({ env, dataDir: dataDirOf(config, env) });
    try {
      const { connection, options } = client.temporal;
      const server = { connection, namespace: options.namespace };
      const waiting = await findWaitingRuns(server, config.worker.versions.deployment);
      return [{ what: 'Temporal', state: 'ok', message: 'it answers' }, ...waiting.map(waitingFinding)];
    } finally {
      await client.close();
    }
  } catch (error) {
    // If none is configured, `jig up` brings its own.
    return [failed('Temporal', error, (env['TEMPORAL_ADDRESS'] ?? env['TEMPORAL_PROFILE']) ? 'missing' : 'note')];
  }
}

function waitingFinding(waiting: WaitingRuns): Finding {
  return { what: 'versions', state: 'note', code: 'version-without-worker', ...describeWaitingRuns(waiting) };
}

async function checkModel(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  if (config.recording !== undefined)
    return [{ what: 'model', state: 'note', message: `answers come from the recording ${config.recording}` }];
  try {
    const { name } = chooseModel({ env, config: config.model });
    return [{ what: 'model', state: 'ok', message: `${name} is configured; the doctor did not ask it anything` }];
  } catch (error) {
    // Blueprints that don't ask a model run anyway.
    return [failed('model', error, 'note')];
  }
}
