/** Sandboxes on the worker's own machine: bubblewrap's namespaces, or (asked for by name) plain processes. */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandSpec, Sandbox, SandboxProvider, SandboxSpec } from '../contract.ts';
import { SandboxRefused } from '../errors.ts';
import type { Launch } from './command-folder.ts';
import { removeFolder } from './destroy.ts';
import { checkNamespaces } from './host-check.ts';
import { hasCode } from './host-files.ts';
import { ensureFolder, listRecords, sandboxFolder, type SandboxRecord } from './layout.ts';
import { enterScript, homeInside, namespaceWords, pathInside, workspaceInside } from './namespace.ts';
import { checkIncarnation, localSandbox } from './sandbox.ts';
import { findToolchains, type Toolchain } from './toolchains.ts';
import { threadsPerProcess } from './watchdog.ts';

export interface LocalProviderOptions {
  /** Where sandboxes live; made where missing. One per machine is enough, for any number of workers. */
  rootDir: string;
  /** The bubblewrap program; see `ensureBinary('bwrap', …)`. */
  bwrapPath: string;
  /** Runs commands as plain processes of the worker's user, without any isolation. */
  unsafeProcess?: boolean;
}

/** Open files that a process in a sandbox may have. */
const maxOpenFiles = 16_384;

export function createLocalProvider(options: LocalProviderOptions): SandboxProvider {
  const { rootDir, bwrapPath, unsafeProcess = false } = options;
  const name = unsafeProcess ? 'unsafe-process' : 'local';
  const isolated = !unsafeProcess;
  let toolchains: Promise<Toolchain[]> | undefined;

  const checkHost = async () => (unsafeProcess ? [] : await checkNamespaces(bwrapPath));

  const sandboxOf = (record: SandboxRecord): Sandbox => {
    const folder = sandboxFolder(rootDir, record.spec.id);
    const launch = async (spec: CommandSpec): Promise<Launch> => {
      toolchains ??= findToolchains();
      const context = { folder, record, spec, toolchains: await toolchains };
      return unsafeProcess ? plainLaunch(context) : isolatedLaunch(context, bwrapPath);
    };
    return localSandbox({ ref: { provider: name, id: record.spec.id, incarnation: record.incarnation }, folder, record, launch });
  };

  return {
    name,
    capabilities: {
      isolation: isolated ? 'namespaces' : 'none',
      egress: isolated,
      limits: { memory: isolated, processes: isolated, disk: isolated },
      hostBound: true,
    },
    checkHost,
    async ensureSandbox(spec: SandboxSpec, signal?: AbortSignal) {
      signal?.throwIfAborted();
      const issues = await checkHost();
      if (issues[0]) throw new SandboxRefused(issues.map(({ message }) => message).join('; '), { hint: issues[0].hint });
      return sandboxOf(await ensureFolder(rootDir, spec));
    },
    async getSandbox(ref) {
      return sandboxOf(await checkIncarnation(sandboxFolder(rootDir, ref.id), ref));
    },
    async destroySandbox(id) {
      const gone = join(rootDir, `.gone-${randomUUID()}`);
      try {
        await rename(sandboxFolder(rootDir, id), gone);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return;
        throw error;
      }
      await removeFolder(gone);
    },
    async listSandboxes() {
      const records = await listRecords(rootDir);
      return records.map(({ createdAt, spec }) => ({
        id: spec.id,
        createdAt,
        expiresAt: new Date(Date.parse(createdAt) + spec.lifetimeMs).toISOString(),
      }));
    },
  };
}

interface LaunchContext {
  folder: string;
  record: SandboxRecord;
  spec: CommandSpec;
  toolchains: Toolchain[];
}

function isolatedLaunch({ folder, record, spec, toolchains }: LaunchContext, bwrapPath: string): Launch {
  const { resources } = record.spec;
  const env = commandEnv(homeInside, record, spec, toolchains);
  const entered = ['/bin/sh', '-c', enterScript, 'sh', join(workspaceInside, spec.cwd ?? ''), ...spec.argv];
  return {
    words: namespaceWords({ bwrapPath, folder, resources, toolchains, readOnlyPaths: [], egress: false, env }, entered),
    tree: 'namespace',
    limits: {
      c: 0,
      n: maxOpenFiles,
      // Kilobytes a process: twice the sandbox's, so that the watchdog can say what happened before a process fails on it.
      d: Math.floor((resources.memoryBytes * 2) / 1024),
      // Blocks of 512 bytes, a file.
      f: Math.ceil(resources.diskBytes / 512),
      ...(process.getuid?.() === 0 ? {} : { u: resources.processes * threadsPerProcess }),
    },
    env: supervisorEnv(),
  };
}

function plainLaunch({ folder, record, spec, toolchains }: LaunchContext): Launch {
  const home = join(folder, 'home');
  const env = commandEnv(home, record, spec, toolchains);
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const cwd = join(folder, 'workspace', spec.cwd ?? '');
  return {
    words: ['env', '-i', ...words, 'setsid', '/bin/sh', '-c', enterScript, 'sh', cwd, ...spec.argv],
    tree: 'group',
    limits: { c: 0, n: maxOpenFiles },
    env: supervisorEnv(),
  };
}

/** The whole environment of a command: nothing of the worker's own. */
function commandEnv(home: string, record: SandboxRecord, spec: CommandSpec, toolchains: Toolchain[]): Record<string, string> {
  return {
    HOME: home,
    PATH: pathInside(home, toolchains),
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    // The sandbox is thrown away: installing into it is what it is for.
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    npm_config_prefix: `${home}/.local`,
    ...record.spec.env,
    ...spec.env,
  };
}

function supervisorEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' };
}
