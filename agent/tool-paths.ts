/**
 * Checks the paths that a model names, which are untrusted. The sandbox enforces the boundary; this only gives good
 * error messages.
 */
import type { ToolOperations } from './operations.ts';

/** The path relative to the workspace, without `.` and `..`. */
export function resolveToolPath(path: string, workspaceDir?: string): { path: string } | { error: string } {
  let relative = path.replaceAll('\\', '/');
  if (workspaceDir && (relative === workspaceDir || relative.startsWith(`${workspaceDir}/`)))
    relative = relative.slice(workspaceDir.length + 1);
  if (relative.startsWith('/') || relative.includes('\0'))
    return { error: `Paths are relative to the repository and begin without a slash, unlike ${JSON.stringify(path)}.` };
  const parts: string[] = [];
  for (const part of relative.split('/')) {
    if (part === '..' && parts.pop() === undefined)
      return { error: `${JSON.stringify(path)} is outside of the repository.` };
    if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  if (parts[0] === '.git') return { error: 'The folder .git is not for tools.' };
  return { path: parts.join('/') || '.' };
}

/** Why the path may not be changed, for the model; undefined if it may. */
export function checkWritable(path: string, writable: ToolOperations['writable']): string | undefined {
  if (!writable || writable.matches(path)) return undefined;
  return `${path} may not be changed in this step. These may: ${writable.globs.join(', ')}`;
}
