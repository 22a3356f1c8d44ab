import { createHash } from 'node:crypto';
import { editText, notUtf8, type TextEdit } from '../agent/edit-text.ts';
import { JigError, type ErrorCode } from '../base/errors.ts';
import type { AppliedEdit, ApplyEdit, UndoEdit } from './edit-contract.ts';
import type { Parts } from './parts.ts';
import { createOperations } from './sandbox-files.ts';

const maxFileBytes = 4 * 1024 * 1024;

/** Applies an exact replacement, or refuses with the reason. @throws JigError `edit-refused` */
export async function applyEdit(parts: Parts, request: ApplyEdit): Promise<AppliedEdit> {
  const { path, old, new: replacement, line, all, keepBefore } = request;
  const { text, write } = await openText(parts, request, 'edit-refused');
  const edited = editText(text, { old, new: replacement, all, ...(line !== undefined && { line }) });
  if ('error' in edited)
    throw new JigError(
      'edit-refused',
      `${path}: ${edited.error}\nold is ${quote(old)}, and new is ${quote(replacement)}`,
    );
  if (edited.text !== text) await write(edited.text);
  const replacements = edited.lines.length;
  if (!keepBefore) return { replacements };
  const before = await parts.artifacts.put(Buffer.from(text), 'text/plain');
  return { replacements, kept: { before, afterSha256: sha256(edited.text) } };
}

/**
 * Undoes an edit. @throws JigError `edit-not-undone` if the file holds neither what the edit made of it nor the new
 * text.
 */
export async function undoEdit(parts: Parts, request: UndoEdit): Promise<void> {
  const { path, before, afterSha256 } = request;
  const { text, write } = await openText(parts, request, 'edit-not-undone');
  if (sha256(text) === afterSha256) return write(Buffer.from(await parts.artifacts.get(before)).toString());
  const reversed = request.new === '' ? { error: 'its text was removed' } : editText(text, reverse(request));
  if ('error' in reversed) {
    const message = `${path} was changed after the edit, so the edit can't be undone: ${reversed.error}`;
    throw new JigError('edit-not-undone', message);
  }
  await write(reversed.text);
}

function reverse({ old, new: replacement, all, line }: UndoEdit): TextEdit {
  return { old: replacement, new: old, all, ...(line !== undefined && { line }) };
}

/** Reads a text file of the workspace. @throws JigError if it isn't one */
async function openText(
  { sandboxes }: Parts,
  { sandbox, key, path }: Pick<ApplyEdit, 'sandbox' | 'key' | 'path'>,
  code: ErrorCode,
): Promise<{ text: string; write: (text: string) => Promise<void> }> {
  const operations = createOperations(await sandboxes.getSandbox(sandbox), { key, env: {} });
  const file = await operations.readFile(path, maxFileBytes);
  if (!file) throw new JigError(code, `There is no file ${path}`);
  if (file.text === undefined) throw new JigError(code, `${path} is too large to edit`);
  if (!file.isUtf8) throw new JigError(code, `${path}: ${notUtf8}`);
  return { text: file.text, write: (text) => operations.writeFile(path, text) };
}

/** A text as one line, cut. */
const quote = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
