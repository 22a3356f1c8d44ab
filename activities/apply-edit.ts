import { ApplicationFailure } from '@temporalio/activity';
import { editText, notUtf8 } from '../agent/edit-text.ts';
import { createOperations } from './sandbox-files.ts';
import type { ApplyEdit } from './contract.ts';
import type { Parts } from './parts.ts';

const maxFileBytes = 4 * 1024 * 1024;

/** Applies an exact replacement, or refuses with the reason. @throws ApplicationFailure `edit-refused` */
export async function applyEdit(parts: Parts, request: ApplyEdit): Promise<{ replacements: number }> {
  const { path, old, new: replacement, line, all } = request;
  const sandbox = await parts.sandboxes.getSandbox(request.sandbox);
  const operations = createOperations(sandbox, { key: request.key, env: {} });
  const file = await operations.readFile(path, maxFileBytes);
  if (file?.text === undefined)
    throw ApplicationFailure.nonRetryable(
      file ? `${path} is too large to edit` : `There is no file ${path}`,
      'edit-refused',
    );
  if (!file.isUtf8) throw ApplicationFailure.nonRetryable(`${path}: ${notUtf8}`, 'edit-refused');
  const edited = editText(file.text, { old, new: replacement, all, ...(line !== undefined && { line }) });
  if ('error' in edited) throw ApplicationFailure.nonRetryable(`${path}: ${edited.error}`, 'edit-refused');
  if (edited.text !== file.text) await operations.writeFile(path, edited.text);
  return { replacements: edited.lines.length };
}
