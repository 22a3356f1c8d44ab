/** The worker's real parts, with a point before and after each effect on the world. */
import type { Parts } from '../../activities/parts.ts';
import type { ArtifactStore } from '../../artifacts/contract.ts';
import type { Forge } from '../../forge/contract.ts';
import type { TrustedGit } from '../../git/contract.ts';
import type { Model } from '../../model/contract.ts';
import type { Sandbox, SandboxProvider } from '../../sandbox/contract.ts';
import { nameless, type PassPoint } from './points.ts';

export function wrapParts(parts: Parts, pass: PassPoint): Parts {
  return {
    ...parts,
    sandboxes: wrapSandboxes(parts.sandboxes, pass),
    model: wrapModel(parts.model, pass),
    git: wrapGit(parts.git, pass),
    artifacts: wrapArtifacts(parts.artifacts, pass),
    forges: new Map([...parts.forges].map(([name, forge]) => [name, wrapForge(forge, pass)])),
  };
}

/** One effect between its two points. */
const around = async <Value>(
  pass: PassPoint,
  effect: string,
  work: () => Promise<Value>,
  sandboxId?: string,
): Promise<Value> => {
  await pass(`before ${effect}`, sandboxId);
  const value = await work();
  await pass(`after ${effect}`, sandboxId);
  return value;
};

function wrapSandboxes(sandboxes: SandboxProvider, pass: PassPoint): SandboxProvider {
  return {
    ...sandboxes,
    async ensureSandbox(spec, signal) {
      const made = await around(
        pass,
        `sandbox ${nameless(spec.id)}`,
        () => sandboxes.ensureSandbox(spec, signal),
        spec.id,
      );
      return { ...wrapSandbox(made, pass), states: made.states };
    },
    getSandbox: async (ref) => wrapSandbox(await sandboxes.getSandbox(ref), pass),
    destroySandbox: (id) => around(pass, `removal ${nameless(id)}`, () => sandboxes.destroySandbox(id), id),
  };
}

function wrapSandbox(sandbox: Sandbox, pass: PassPoint): Sandbox {
  const { ref } = sandbox;
  return {
    ref,
    listRefusals: () => sandbox.listRefusals(),
    run(spec, options) {
      const name = `command ${nameless(ref.id)}:${nameless(spec.key)}`;
      const onOutput: NonNullable<typeof options>['onOutput'] = (chunk) => {
        void pass(`during ${name}`, ref.id);
        options?.onOutput?.(chunk);
      };
      return around(pass, name, () => sandbox.run(spec, { ...options, onOutput }), ref.id);
    },
  };
}

function wrapModel(model: Model, pass: PassPoint): Model {
  return {
    ...model,
    ask: (request, signal) => around(pass, `question ${nameless(request.key)}`, () => model.ask(request, signal)),
  };
}

function wrapGit(git: TrustedGit, pass: PassPoint): TrustedGit {
  return {
    ...git,
    ensureMirror: (...args) => around(pass, 'mirror', () => git.ensureMirror(...args)),
    createCheckoutBundle: (...args) => around(pass, 'bundle', () => git.createCheckoutBundle(...args)),
    quarantine: (request, signal) =>
      around(pass, `quarantine ${nameless(request.key)}`, () => git.quarantine(request, signal)),
    pushBranch: (...args) => around(pass, 'push', () => git.pushBranch(...args)),
  };
}

function wrapArtifacts(artifacts: ArtifactStore, pass: PassPoint): ArtifactStore {
  return {
    ...artifacts,
    findByKey: (key) => around(pass, `look ${nameless(key)}`, () => artifacts.findByKey(key)),
    keep: (key, ref) => around(pass, `keeping ${nameless(key)}`, () => artifacts.keep(key, ref)),
  };
}

function wrapForge(forge: Forge, pass: PassPoint): Forge {
  return {
    ...forge,
    ensureChange: (wanted) => around(pass, 'change', () => forge.ensureChange(wanted)),
    listChecks: (...args) => around(pass, 'checks', () => forge.listChecks(...args)),
    ensureComment: (wanted) => around(pass, 'comment', () => forge.ensureComment(wanted)),
  };
}
