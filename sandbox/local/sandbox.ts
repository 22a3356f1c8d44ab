import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult, CommandSpec, RunOptions, Sandbox, SandboxRef } from '../contract.ts';
import { CommandCancelled } from '../contract.ts';
import { readRefusals } from '../egress-proxy.ts';
import { SandboxLost } from '../errors.ts';
import { commandFolder, findEnded, findSupervisor, launchCommand, type Launch } from './command-folder.ts';
import { refusalLog } from './egress.ts';
import { followCommand } from './follow.ts';
import { findRecord, type SandboxRecord } from './layout.ts';
import { watchLimits } from './watchdog.ts';

export interface LocalSandboxOptions {
  ref: SandboxRef;
  folder: string;
  record: SandboxRecord;
  /** How a command is started on this machine. */
  launch: (spec: CommandSpec) => Promise<Launch>;
}

/** A sandbox on the worker's own machine. It holds no state: every call reads the folder. */
export function localSandbox({ ref, folder, record, launch }: LocalSandboxOptions): Sandbox {
  return {
    ref,
    async run(spec: CommandSpec, options: RunOptions = {}): Promise<CommandResult> {
      const place = commandFolder(folder, spec.key);
      await checkIncarnation(folder, ref);
      if (options.signal?.aborted && !(options.signal.reason instanceof CommandCancelled)) throw options.signal.reason;
      const how = await launch(spec);
      if (!(await findEnded(place)) && !(await findSupervisor(place)))
        await launchCommand(place, spec, how, options.signal?.aborted === true);
      const result =
        how.tree === 'namespace'
          ? await followWithin(place, folder, record, options)
          : await followCommand(place, options);
      if (how.tree === 'namespace' && result.ending === 'exited') await checkSetUp(place);
      return result;
    },
    async listRefusals() {
      return await readRefusals(refusalLog(folder));
    },
  };
}

/** Follows a command and enforces its sandbox's limits meanwhile. */
async function followWithin(
  place: string,
  folder: string,
  record: SandboxRecord,
  options: RunOptions,
): Promise<CommandResult> {
  const done = new AbortController();
  const watchdog = watchLimits({ folder, commandFolder: place, resources: record.spec.resources }, done.signal);
  try {
    return await followCommand(place, options);
  } finally {
    done.abort();
    await watchdog;
  }
}

/** Reads the sandbox's record. @throws SandboxLost if the folder is gone or belongs to another incarnation */
export async function checkIncarnation(folder: string, ref: SandboxRef): Promise<SandboxRecord> {
  const record = await findRecord(folder);
  if (!record) throw new SandboxLost(`the sandbox ${ref.id} is gone`);
  if (record.incarnation !== ref.incarnation) throw new SandboxLost(`another sandbox has the name ${ref.id}`);
  return record;
}

/**
 * Checks that the command itself ended. bubblewrap reports a command's exit; if it didn't, the exit code is
 * bubblewrap's own, and the command never ran.
 */
async function checkSetUp(place: string): Promise<void> {
  const status = await readFile(join(place, 'status'), 'utf8').catch(() => '');
  if (status.includes('"exit-code"')) return;
  const message = await readFile(join(place, 'stderr'), 'utf8').catch(() => '');
  throw new SandboxLost(
    `the sandbox could not be used, or something outside Jig ended it: ${message.trim().slice(-500)}`,
  );
}
