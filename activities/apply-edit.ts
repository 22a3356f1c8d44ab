import { editText, notUtf8 } from '../agent/edit-text.ts';
import { JigError } from '../base/errors.ts';
import { createOperations } from './sandbox-files.ts';
import type { ApplyEdit } from './contract.ts';
import type { Parts } from './parts.ts';

const maxFileBytes = 4 * 1024 * 1024;

/** Applies an exact replacement, or refuses with the reason. @throws JigError `edit-refused` */
export async function applyEdit(parts: Parts, request: ApplyEdit): Promise<{ replacements: number }> {
  const { path, old, new: replacement, line, all } = request;
  const sandbox = await parts.sandboxes.getSandbox(request.sandbox);
  const operations = createOperations(sandbox, { key: request.key, env: {} });
  const file = await operations.readFile(path, maxFileBytes);
  if (file?.text === undefined)
    throw new JigError('edit-refused', file ? `${path} is too large to edit` : `There is no file ${path}`);
  if (!file.isUtf8) throw new JigError('edit-refused', `${path}: ${notUtf8}`);
  const edited = editText(file.text, { old, new: replacement, all, ...(line !== undefined && { line }) });
  if ('error' in edited) throw new JigError('edit-refused', `${path}: ${edited.error}`);
  if (edited.text !== file.text) await operations.writeFile(path, edited.text);
  return { replacements: edited.lines.length };
}
