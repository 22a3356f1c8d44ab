import { join } from 'node:path';

/** Where a program of a shipped blueprint is. */
export function libraryProgram(blueprint: string, file: string): string {
  return join(import.meta.dirname, '../../../blueprints/library', blueprint, file);
}
