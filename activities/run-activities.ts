import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import { parseBlueprint } from '../blueprints/check.ts';
import { BlueprintFile, checkFolder } from '../blueprints/folder.ts';
import { checkInputs } from '../blueprints/inputs.ts';
import { hashBlueprint } from '../blueprints/pin.ts';
import { withIds } from '../blueprints/steps.ts';
import type { ArtifactRef, ArtifactStore } from '../artifacts/contract.ts';
import type { Forge } from '../forge/contract.ts';
import { RunRequest, type PinnedBlueprint } from '../workflows/messages.ts';
import { workSignal } from './activity.ts';
import type { OpenedRun, RunActivities } from './contract.ts';
import { AnyJson, keepJson, loadJson } from './kept.ts';
import type { Parts } from './parts.ts';

export function createRunActivities(parts: Parts): RunActivities {
  return {
    openRun: (request) => openRun(parts, request),
    keepValue: ({ value }) => keepJson(parts.artifacts, value),
    loadValue: (ref) => loadJson(parts.artifacts, ref, AnyJson),
    joinPages: ({ pages }) => joinPages(parts.artifacts, pages),
  };
}

/** Checks the pinned text again and finds the commit that the run starts from. */
async function openRun(parts: Parts, untrusted: RunRequest): Promise<OpenedRun> {
  const request = RunRequest.parse(untrusted);
  const { text, file } = request.blueprint;
  const files = await takeFiles(parts, request.blueprint);
  const blueprint = withIds(parseBlueprint(text, { file }));
  const { values, issues } = checkInputs(blueprint, request.inputs);
  if (issues.length > 0) throw new JigError('invalid-input', issues.map(({ message }) => message).join('; '));
  await parts.artifacts.put(Buffer.from(text), 'application/yaml');

  const forge = getForge(parts, request.repository.forge);
  const found = await forge.getRepository(request.repository.name);
  const signal = workSignal();
  await parts.git.ensureMirror(found, await forge.gitAccess(found), signal);
  const { branch, commit } = await parts.git.resolveBase(found, request.repository.branch ?? found.defaultBranch);
  const { name, cloneUrl } = found;
  return {
    blueprint,
    blueprintFolder: {
      path: parts.sandboxes.blueprintPath,
      ...(files.length > 0 && { files: await keepJson(parts.artifacts, files) }),
    },
    inputs: values,
    repository: { forge: forge.name, name, cloneUrl, branch, commit },
    model: {
      name: parts.model.name,
      source: parts.model.source,
      priced: parts.model.isPriced(parts.model.name),
      refuseUnpriced: parts.refuseUnpriced,
    },
    settings: parts.settings,
  };
}

async function joinPages(store: ArtifactStore, pages: ArtifactRef[]): Promise<ArtifactRef> {
  const texts = [];
  for (const page of pages) texts.push(await loadJson(store, page, z.string()));
  return store.put(Buffer.from(texts.join('')), 'application/json');
}

/** The blueprint's other files. @throws JigError if they aren't what was pinned, or can't be put into a sandbox */
async function takeFiles(
  { artifacts }: Pick<Parts, 'artifacts'>,
  { text, files: sent = [], sha256 }: PinnedBlueprint,
): Promise<BlueprintFile[]> {
  const files = Array.isArray(sent) ? sent : await loadJson(artifacts, sent, z.array(BlueprintFile));
  if (hashBlueprint(text, files) !== sha256)
    throw new JigError(
      'blueprint-not-pinned',
      'The blueprint is not the one that the run was started with: its hash differs',
    );
  const [problem] = checkFolder(
    files.map(({ path, base64 }) => ({ path, sizeBytes: Buffer.byteLength(base64, 'base64') })),
  );
  if (problem) throw new JigError(problem.code, problem.message);
  return files;
}

/** @throws JigError `forge-unknown` */
export function getForge(parts: Pick<Parts, 'forges'>, name: string): Forge {
  const forge = parts.forges.get(name);
  if (!forge)
    throw new JigError(
      'forge-unknown',
      `There is no forge ${name}; this worker has: ${[...parts.forges.keys()].join(', ')}`,
    );
  return forge;
}
