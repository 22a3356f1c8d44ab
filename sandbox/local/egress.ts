/** The ways out of this process's sandboxes. Each is opened when a command first needs it. */
import { join } from 'node:path';
import { createEgressProxy } from '../egress-proxy.ts';
import { egressPresets } from '../../blueprints/hosts.ts';
import { expandEgress, type ExpandedEgress } from '../egress-presets.ts';
import { readMachineIndexes, type MachineIndexes } from '../machine-indexes.ts';
import type { SandboxRecord } from './layout.ts';

export interface EgressOptions {
  env: Record<string, string | undefined>;
  /** Where this machine gets packages from; its tools are asked if missing. */
  machine?: MachineIndexes;
  onNote?: (note: string) => void;
}

export function createEgress(options: EgressOptions) {
  const { env, onNote = () => {} } = options;
  const proxy = createEgressProxy(env);
  let machine: Promise<MachineIndexes> | undefined = options.machine && Promise.resolve(options.machine);
  const ways = new Map<string, Promise<{ expanded: ExpandedEgress; close: () => Promise<void> }>>();

  const open = async (folder: string, list: string[]) => {
    machine ??= readMachineIndexes([...egressPresets], env);
    const expanded = expandEgress(list, await machine);
    for (const note of expanded.notes) onNote(note);
    const served = await proxy.serve({
      socketFolder: join(folder, 'egress'),
      logFile: refusalLog(folder),
      rules: expanded.hosts,
    });
    return { expanded, close: served.close };
  };

  const close = async (incarnation: string) => {
    const way = ways.get(incarnation);
    ways.delete(incarnation);
    await way?.then(
      async (opened) => await opened.close(),
      () => undefined,
    );
  };

  return {
    /** Opens the sandbox's way out; undefined if it has none. Repeatable: each process opens one for each sandbox. */
    async ensureWay(folder: string, record: SandboxRecord): Promise<ExpandedEgress | undefined> {
      if (record.spec.egress.length === 0) return undefined;
      const way = ways.get(record.incarnation) ?? open(folder, record.spec.egress);
      ways.set(record.incarnation, way);
      return (await way).expanded;
    },
    close,
    async closeAll(): Promise<void> {
      await Promise.all([...ways.keys()].map(close));
    },
  };
}

/** The file in a sandbox's folder with its refused connections. */
export function refusalLog(folder: string): string {
  return join(folder, 'egress.log');
}
