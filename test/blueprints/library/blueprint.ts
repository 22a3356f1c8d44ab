import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBlueprint } from '../../../blueprints/check.ts';
import type { Blueprint } from '../../../blueprints/schema.ts';

const folder = join(import.meta.dirname, '../../../blueprints/library');

/** A shipped blueprint. @throws BlueprintInvalid */
export async function libraryBlueprint(name: string): Promise<Blueprint> {
  const file = join(folder, `${name}.yaml`);
  return parseBlueprint(await readFile(file), { file });
}

/** The Python program that the blueprint's setup writes to a file of that name. */
export function setupProgram(blueprint: Blueprint, name: string): string {
  const writes = (blueprint.sandbox?.setup ?? []).find(
    (command) => typeof command === 'string' && command.includes(`${name} <<'PYTHON'`),
  );
  const program = typeof writes === 'string' && /<<'PYTHON'[^\n]*\n([\s\S]*\n)PYTHON\n/.exec(writes)?.[1];
  if (!program) throw new Error(`no setup command writes ${name}`);
  return program;
}
