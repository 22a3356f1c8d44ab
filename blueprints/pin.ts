/** The hash over all files of a blueprint. It uses Node's crypto, so workflow code can't import it. */
import { createHash } from 'node:crypto';
import { blueprintFileName, type BlueprintFile } from './folder.ts';

/**
 * The sha256 of a list with a line `MODE SHA256 PATH` for each file, sorted by path. It changes with any byte, name or
 * mode, and with nothing else. A single file is a folder that holds only `blueprint.yaml`.
 */
export function hashBlueprint(text: string, files: readonly BlueprintFile[]): string {
  const all = [
    { path: blueprintFileName, mode: '0644', bytes: Buffer.from(text) },
    ...files.map(({ path, executable, base64 }) => ({
      path,
      mode: executable ? '0755' : '0644',
      bytes: Buffer.from(base64, 'base64'),
    })),
  ];
  const lines = all
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ mode, bytes, path }) => `${mode} ${sha256(bytes)} ${path}\n`);
  return sha256(lines.join(''));
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
