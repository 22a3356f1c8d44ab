/** How a command of a sandbox is started on this machine: in namespaces, or as a plain process. */
import { join } from 'node:path';
import { commandEnvironment } from '../command-environment.ts';
import type { CommandSpec } from '../contract.ts';
import type { ExpandedEgress } from '../egress-presets.ts';
import { CommandTooLong } from '../errors.ts';
import type { Launch } from './command-folder.ts';
import { filterName, type SandboxRecord } from './layout.ts';
import {
  blueprintInside,
  enterScript,
  homeInside,
  namespaceWords,
  pathInside,
  proxyEnv,
  workspaceInside,
} from './namespace.ts';
import type { Toolchain } from './toolchains.ts';
import { threadsPerProcess } from './watchdog.ts';

/** What a launch depends on. */
export interface LaunchContext {
  folder: string;
  record: SandboxRecord;
  spec: CommandSpec;
  toolchains: Toolchain[];
  /** Undefined if there is no way out. */
  egress: ExpandedEgress | undefined;
}

/** How many words bubblewrap accepts, its own options included. */
const maxBwrapWords = 9000;

/** Open files that a process in a sandbox may have. */
const maxOpenFiles = 16_384;

/**
 * What one process may allocate beyond its sandbox's memory: stacks that are never touched, and what it takes between
 * two looks of the watchdog.
 */
const dataSlackBytes = 2 * 1024 ** 3;

/** @throws CommandTooLong */
export function isolatedLaunch({ folder, record, spec, toolchains, egress }: LaunchContext, bwrapPath: string): Launch {
  const { resources } = record.spec;
  const env = commandEnv({ home: homeInside, blueprint: blueprintInside }, record, spec, toolchains);
  const entered = ['/bin/sh', '-c', enterScript, 'sh', join(workspaceInside, spec.cwd ?? ''), ...spec.argv];
  const readOnlyPaths = egress?.readOnlyPaths ?? [];
  const words = namespaceWords(
    { bwrapPath, folder, resources, toolchains, readOnlyPaths, egress: egress !== undefined, env },
    egress ? [...egressWords(record.spec.egress, egress, env), ...entered] : entered,
  );
  if (words.length > maxBwrapWords)
    throw new CommandTooLong(
      `the command has ${spec.argv.length} words; at most about ${maxBwrapWords - words.length + spec.argv.length} fit into a command line`,
    );
  return {
    words,
    tree: 'namespace',
    limits: {
      c: 0,
      n: maxOpenFiles,
      // In kilobytes, for each process.
      d: Math.floor((resources.memoryBytes + dataSlackBytes) / 1024),
      // In blocks of 512 bytes, for each file.
      f: Math.ceil(resources.diskBytes / 512),
      // The kernel exempts root from this limit.
      ...(process.getuid?.() === 0 ? {} : { u: resources.processes * threadsPerProcess }),
    },
    env: { ...supervisorEnv(), JIG_FILTER: join(folder, filterName) },
  };
}

/**
 * The words that set the variables of the way out. They come after the forwarder: it is a node process itself, and they
 * would slow it down.
 */
function egressWords(list: string[], egress: ExpandedEgress, env: Record<string, string>): string[] {
  const variables = Object.entries({ ...proxyEnv(list), ...egress.env }).filter(([name]) => !(name in env));
  return ['/usr/bin/env', ...variables.map(([name, value]) => `${name}=${value}`)];
}

/** How to start the command as a plain process of the worker's user, without isolation. @throws CommandTooLong */
export function plainLaunch({ folder, record, spec, toolchains }: LaunchContext): Launch {
  const places = { home: join(folder, 'home'), blueprint: join(folder, 'blueprint') };
  const env = commandEnv(places, record, spec, toolchains);
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const cwd = join(folder, 'workspace', spec.cwd ?? '');
  return {
    words: ['env', '-i', ...words, 'setsid', '/bin/sh', '-c', enterScript, 'sh', cwd, ...spec.argv],
    tree: 'group',
    limits: { c: 0, n: maxOpenFiles },
    env: supervisorEnv(),
  };
}

/** @throws CommandTooLong */
function commandEnv(
  places: { home: string; blueprint: string },
  record: SandboxRecord,
  spec: CommandSpec,
  toolchains: Toolchain[],
): Record<string, string> {
  return commandEnvironment(places, { PATH: pathInside(places.home, toolchains) }, record.spec.env, spec.env ?? {});
}

function supervisorEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' };
}
