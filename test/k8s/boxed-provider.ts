/** Sandboxes of boxed pods behind API servers of their own: everything of a pod's commands but Kubernetes itself. */
import type { Sandbox, SandboxProvider, SandboxRef, SandboxSpec } from '../../sandbox/contract.ts';
import { SandboxLost } from '../../sandbox/errors.ts';
import { podPaths } from '../../k8s/pod-scripts.ts';
import { runInPod, type PodCommandTarget } from '../../k8s/pod-command.ts';
import { startBoxedPod, type BoxedPod } from './boxed-pod.ts';
import { startApiServer } from './scripted-api-server.ts';

interface Place {
  pod: BoxedPod;
  target: PodCommandTarget;
  spec: SandboxSpec;
  createdAtMs: number;
  leasedUntilMs: number;
  close: () => Promise<void>;
}

export function createBoxedProvider(outputDir: string): SandboxProvider & { close: () => Promise<void> } {
  const places = new Map<string, Promise<Place>>();
  const make = async (spec: SandboxSpec): Promise<Place> => {
    const pod = await startBoxedPod({ ...(spec.blueprint && { blueprint: spec.blueprint }) });
    const server = await startApiServer({ onExec: pod.serve });
    const { incarnation } = pod;
    const checkPod: PodCommandTarget['checkPod'] = async () =>
      (await places.get(spec.id))?.pod === pod ? 'same' : { gone: 'the box is gone' };
    const target = {
      ...server.target,
      incarnation,
      nonce: `secret of ${incarnation}`,
      env: spec.env,
      outputDir: `${outputDir}/${incarnation}`,
      checkPod,
    };
    const close = async (): Promise<void> => {
      await server[Symbol.asyncDispose]();
      await pod[Symbol.asyncDispose]();
    };
    return { pod, target, spec, createdAtMs: Date.now(), leasedUntilMs: Date.now() + spec.leaseMs, close };
  };
  const sandboxOf = ({ spec, target }: Place): Sandbox => ({
    ref: refOf(spec, target),
    run: async (command, options) => await runInPod(target, command, options),
    listRefusals: async () => await Promise.resolve([]),
  });
  const destroySandbox = async (id: string): Promise<void> => {
    const place = await places.get(id);
    places.delete(id);
    await place?.close();
  };
  return {
    name: 'boxed',
    capabilities: {
      isolation: 'pod',
      egress: false,
      limits: { memory: false, processes: false, disk: false },
      hostBound: true,
    },
    blueprintPath: podPaths.blueprint,
    checkHost: async () => await Promise.resolve([]),
    async ensureSandbox(spec) {
      if (!places.has(spec.id)) places.set(spec.id, make(spec));
      const place = (await places.get(spec.id)) ?? (await make(spec));
      const states = [
        { state: 'created' as const, atMs: place.createdAtMs },
        { state: 'ready' as const, atMs: Date.now() },
      ];
      return {
        ...sandboxOf(place),
        states: states.map(({ state, atMs }) => ({ state, at: new Date(atMs).toISOString() })),
      };
    },
    async getSandbox(ref) {
      const place = await places.get(ref.id);
      if (place?.pod.incarnation !== ref.incarnation) throw new SandboxLost('there is no such box');
      return sandboxOf(place);
    },
    destroySandbox,
    async renewSandbox(id, leaseMs) {
      const place = await places.get(id);
      if (place) place.leasedUntilMs = Date.now() + leaseMs;
      return place !== undefined;
    },
    async listSandboxes() {
      const all = await Promise.all(places.values());
      return all.map(({ spec, createdAtMs, leasedUntilMs }) => ({
        id: spec.id,
        ...(spec.owner === undefined ? {} : { owner: spec.owner }),
        createdAt: new Date(createdAtMs).toISOString(),
        leasedUntil: new Date(leasedUntilMs).toISOString(),
      }));
    },
    async close() {
      for (const id of places.keys()) await destroySandbox(id);
    },
  };
}

function refOf({ id }: SandboxSpec, { incarnation }: PodCommandTarget): SandboxRef {
  return { provider: 'boxed', id, incarnation };
}
