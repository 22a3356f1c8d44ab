/**
 * Sandboxes on the worker's own machine: in namespaces made by bubblewrap, or, if explicitly asked for, as plain
 * processes.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandSpec, ListedSandbox, Sandbox, SandboxProvider, SandboxSpec } from '../contract.ts';
import { SandboxRefused } from '../errors.ts';
import type { MachineIndexes } from '../machine-indexes.ts';
import { removeGone } from './destroy.ts';
import { createEgress } from './egress.ts';
import { checkNamespaces } from './host-check.ts';
import { isMissing } from './host-files.ts';
import { isolatedLaunch, plainLaunch } from './launch.ts';
import {
  asideName,
  ensureFolder,
  findRecord,
  gonePrefix,
  listRecords,
  removeFresh,
  sandboxFolder,
  type SandboxRecord,
} from './layout.ts';
import { findLease, writeLease } from './lease.ts';
import { blueprintInside } from './namespace.ts';
import { checkIncarnation, localSandbox } from './sandbox.ts';
import { findToolchains, type Toolchain } from './toolchains.ts';

export interface LocalProviderOptions {
  /** The folder of all sandboxes; made if missing. One for each machine is enough for any number of workers. */
  rootDir: string;
  /** The bubblewrap program; see `ensureBinary('bwrap', …)`. */
  bwrapPath: string;
  /** Runs commands as plain processes of the worker's user, without any isolation. */
  unsafeProcess?: boolean;
  /** The worker's environment, for its proxy and its package indexes; `process.env` if missing. */
  env?: Record<string, string | undefined>;
  /** Where this machine gets packages from; its tools are asked if missing. */
  machine?: MachineIndexes;
  /** Called with what an operator should know, such as a credential that was left out of a sandbox. */
  onNote?: (note: string) => void;
}

export interface LocalProvider extends SandboxProvider {
  /** Closes this process's ways out of sandboxes. Commands go on, without network until another worker serves them. */
  readonly close: () => Promise<void>;
}

/** Makes the provider. It holds nothing open until a sandbox needs a way out. */
export function createLocalProvider(options: LocalProviderOptions): LocalProvider {
  const { rootDir, bwrapPath, unsafeProcess = false, env = process.env, ...egressOptions } = options;
  const name = unsafeProcess ? 'unsafe-process' : 'local';
  const isolated = !unsafeProcess;
  const egress = createEgress({ ...egressOptions, env });
  const sandboxOf = createSandboxOf(name, { ...options, unsafeProcess, env }, egress);
  let ready = false;

  const checkHost = async () => (unsafeProcess ? [] : await checkNamespaces(bwrapPath));

  return {
    name,
    capabilities: {
      isolation: isolated ? 'namespaces' : 'none',
      egress: isolated,
      limits: { memory: isolated, processes: isolated, disk: isolated },
      hostBound: true,
    },
    // Plain processes see the machine's own paths, which differ between sandboxes. This relative path doesn't.
    blueprintPath: isolated ? blueprintInside : '../blueprint',
    checkHost,
    async ensureSandbox(spec: SandboxSpec, signal?: AbortSignal) {
      signal?.throwIfAborted();
      const issues = ready ? [] : await checkHost();
      if (issues[0])
        throw new SandboxRefused(issues.map(({ message }) => message).join('; '), { hint: issues[0].hint });
      ready = true;
      const record = await ensureFolder(rootDir, spec);
      // A folder is ready as soon as it exists.
      return {
        ...sandboxOf(record),
        states: [
          { state: 'created', at: record.createdAt },
          { state: 'ready', at: new Date().toISOString() },
        ],
      };
    },
    async getSandbox(ref) {
      return sandboxOf(await checkIncarnation(sandboxFolder(rootDir, ref.id), ref));
    },
    async destroySandbox(id) {
      const folder = sandboxFolder(rootDir, id);
      const record = await findRecord(folder);
      await rename(folder, join(rootDir, asideName(gonePrefix, folder))).catch(unlessMissing);
      if (record) await egress.close(record.incarnation);
      // This also removes what earlier calls left when their worker was killed.
      await removeFresh(rootDir, folder);
      await removeGone(rootDir, (original) => original === folder);
    },
    renewSandbox: (id, leaseMs) => writeLease(sandboxFolder(rootDir, id), leaseMs),
    async listSandboxes() {
      const records = await listRecords(rootDir);
      return await Promise.all(records.map((record) => describe(rootDir, record)));
    },
    close: async () => await egress.closeAll(),
  };
}

/** Makes the function that turns a record into a sandbox. */
function createSandboxOf(
  provider: string,
  { rootDir, bwrapPath, unsafeProcess, env }: LocalProviderOptions & Required<Pick<LocalProviderOptions, 'env'>>,
  egress: ReturnType<typeof createEgress>,
): (record: SandboxRecord) => Sandbox {
  let toolchains: Promise<Toolchain[]> | undefined;
  return (record) => {
    const folder = sandboxFolder(rootDir, record.spec.id);
    const launch = async (spec: CommandSpec) => {
      toolchains ??= findToolchains(env['PATH']);
      const context = { folder, record, spec, toolchains: await toolchains };
      if (unsafeProcess) return plainLaunch({ ...context, egress: undefined });
      return isolatedLaunch({ ...context, egress: await egress.ensureWay(folder, record) }, bwrapPath);
    };
    return localSandbox({
      ref: { provider, id: record.spec.id, incarnation: record.incarnation },
      folder,
      record,
      launch,
    });
  };
}

async function describe(rootDir: string, { createdAt, spec: { id, owner } }: SandboxRecord): Promise<ListedSandbox> {
  const leasedUntil = (await findLease(sandboxFolder(rootDir, id))) ?? createdAt;
  return { id, createdAt, leasedUntil, ...(owner !== undefined && { owner }) };
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
