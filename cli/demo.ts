import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import type { JigClient } from '../client/client.ts';
import { defaultDataDir } from '../client/up-record.ts';
import type { RunState } from '../workflows/messages.ts';
import type { Up } from '../worker/up.ts';
import { recordingFileOf } from './blueprint-file.ts';
import { renderDiff } from './diff-text.ts';
import { renderEvidence } from './evidence.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { BadInput } from './failure.ts';
import { followOnTerminal } from './following.ts';
import { note, oneLine, paintErr, paintOut, print } from './output.ts';
import { findPerson } from './person.ts';
import { addProcessOptions, readConfig, type ProcessOptions } from './process-options.ts';
import { requirePrograms } from './programs.ts';
import { onStop, untilAborted } from './signals.ts';
import { checkStart } from './start-request.ts';
import { startEverything } from './up.ts';

interface Options extends ProcessOptions {
  keep?: boolean;
}

const blueprintName = 'python-utcnow';
const cancelWaitMs = 20_000;

export const demo = addProcessOptions(new Command('demo'))
  .description(
    'Takes a published Python package, replaces its deprecated calls with a blueprint that ships with Jig, and opens a change, as any run does. Without a model, it replays a recorded session of a real one.',
  )
  .option('--keep', 'stay up after the run, so that you can look around (default on a terminal)')
  .option('--no-keep', 'stop when the run ends')
  .addHelpText(
    'after',
    `
Examples:
  jig demo
  OPENAI_API_KEY=… JIG_MODEL=gpt-5-mini jig demo
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 JIG_MODEL=qwen2.5-coder jig demo --no-keep

The exit code is the run's.
`,
  )
  .action(async ({ keep = process.stdout.isTTY, ...options }: Options) => {
    const stop = onStop();
    await requirePrograms(['git', 'python3', 'pip']);
    const { config, model } = await chooseAnswers(options);
    const dataDir = join(defaultDataDir(process.env), 'demo');
    // The demo always uses the embedded Temporal, whatever this shell is configured for.
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'))),
      JIG_DATA_DIR: dataDir,
    };
    const up = await startEverything({ config, dataDir, logFile: join(dataDir, 'worker.log'), env });
    try {
      process.exitCode = await showRun(up, { env, dataDir, model, stop: stop.signal });
      if (keep && !stop.signal.aborted) {
        print(
          `\nEverything is still up, so you can look around. Ctrl-C stops it.\n  JIG_DATA_DIR=${dataDir} node bin/jig.mjs change list`,
        );
        await Promise.race([up.worker.ended, untilAborted(stop.signal)]);
      }
    } finally {
      await up.stop();
    }
  });

/** Chooses the user's model if one is configured, else the recorded session, and what to print about it. */
async function chooseAnswers(
  options: Options,
): Promise<{ config: Awaited<ReturnType<typeof readConfig>>; model: string }> {
  const config = await readConfig(options);
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, JIG_MODEL: named, JIG_MODEL_PRESET: preset } = process.env;
  const baseUrl = url ?? config.model.baseUrl ?? preset ?? config.model.preset;
  const name = named ?? config.model.name;
  if ((key || baseUrl) && config.recording === undefined) {
    if (!name)
      throw new BadInput('model-not-configured', 'A model server is configured, but no model is named', {
        hint: 'For example: JIG_MODEL=gpt-5-mini jig demo',
      });
    return {
      config,
      model: `Asking ${name} at ${baseUrl ?? 'api.openai.com'}, as your environment says.`,
    };
  }
  const file = config.recording ?? recordingFileOf(blueprintName);
  const { loadRecording } = await import('../worker/recording.ts');
  const { model, recordedAt } = await loadRecording(file);
  return {
    config: { ...config, recording: file },
    model: `${config.recording === undefined ? 'No model is configured, so this' : 'This'} is replaying a recorded session of ${oneLine(model)} from ${recordedAt.slice(0, 10)}.\nEverything else happens now: the sandbox, the commands, the tests, the change. To ask your own model, set OPENAI_API_KEY or OPENAI_BASE_URL, and JIG_MODEL.`,
  };
}

interface Demo {
  env: NodeJS.ProcessEnv;
  dataDir: string;
  model: string;
  stop: AbortSignal;
}

/** Runs the demo, from the package to the change. Returns the run's exit code. */
async function showRun(up: Up, { env, dataDir, model, stop }: Demo): Promise<number> {
  const [{ ensureDemoRepository }, { cacheDirOf }, { connectClient }] = await Promise.all([
    import('../demo/repository.ts'),
    import('../worker/config.ts'),
    import('../client/client.ts'),
  ]);
  const repository = await ensureDemoRepository({
    cacheDir: cacheDirOf(process.env),
    onProgress: (line) => note(paintErr('dim', line)),
  });
  const { blueprint, inputs } = await checkStart(blueprintName, {});
  const name = `demo/${repository.name}`;
  const { localForge } = up.worker.installation;
  await localForge.ensureRepository({
    name,
    source: repository.path,
    check: await ciOf(blueprint.text, repository.check),
  });
  const client = await connectClient({ env, dataDir });
  try {
    print(
      `${paintOut('bold', `${repository.package} ${repository.version}`)}, as its authors published it, and the blueprint ${blueprintName}.\n${model}\n`,
    );
    const { runId } = await client.start({
      blueprint,
      inputs,
      repository: { forge: localForge.name, name },
      requester: await findPerson(),
    });
    print(`${paintOut('dim', client.uiUrl(runId) ?? '')}\n`);
    const state = (await followOnTerminal(client, runId, stop)) ?? (await client.describe(runId));
    if (!state.end) return await cancelRun(client, runId);
    await showChange(up, state);
    return exitCodeOf(state.end.outcome);
  } finally {
    await client.close();
  }
}

/**
 * The commands of the repository's CI: it prepares a checkout as the blueprint does, then the repository's own command
 * decides.
 */
async function ciOf(text: string, check: string): Promise<{ command: string[]; setup: string[][] }> {
  const { parseBlueprint } = await import('../blueprints/check.ts');
  const { sandbox } = parseBlueprint(text, { file: blueprintName });
  return {
    command: ['sh', '-c', check],
    setup: (sandbox?.setup ?? []).map((command) => (typeof command === 'string' ? ['sh', '-c', command] : command)),
  };
}

async function showChange(up: Up, state: RunState): Promise<void> {
  const { parts, localForge } = up.worker.installation;
  if (!state.change) return;
  const patch = await localForge.getDiff(state.repository.name, state.change.number);
  print(`\n${paintOut('bold', 'The change')}\n${renderDiff(patch, { paint: paintOut, maxLines: 80 })}`);
  print(
    `\n${paintOut('bold', 'Its evidence')}, before → after\n${await renderEvidence(state, parts.artifacts, paintOut)}`,
  );
  print(`\n${paintOut('bold', 'Its address')}\n${oneLine(state.change.url, 500)}`);
}

/** Handles Ctrl-C: cancels the run and lets it clean up, unless the person presses Ctrl-C again. */
async function cancelRun(client: JigClient, runId: string): Promise<number> {
  note('Cancelling the run …');
  await client.cancel(runId, { by: await findPerson(), comment: 'the demo was stopped' });
  await Promise.race([client.result(runId), wait(cancelWaitMs, undefined, { ref: false })]);
  return exitCodes.cancelled;
}
