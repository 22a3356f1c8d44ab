/** Warns of work that no check decides on: it would become a draft that says so first. */
import { flatten, type NamedOutline } from './outlines.ts';
import type { Report } from './report.ts';

export function warnOfUnchecked(outlines: NamedOutline[], report: Report): void {
  const all = flatten(outlines);
  for (const [index, { kind, path }] of all.entries()) {
    if (kind === 'change' && !all.slice(0, index).some(decides))
      report.warnKey(
        [...path, 'change'],
        'change-unchecked',
        'no check decides on this change, so it will be a draft that says `unchecked` first',
        'put a `check` before it, or `verify` in the agent step',
      );
    if (kind === 'agent' && !verifies(all[index]) && !all.slice(index).some(decides))
      report.warnKey(
        [...path, 'agent'],
        'agent-unchecked',
        'no check decides on what this agent does: the model alone says that it is done',
        'add `verify`, or a `check` after it',
      );
  }
}

/** Whether the step has checks that decide. A step that can't be read gets the benefit of the doubt. */
function decides(outline: NamedOutline): boolean {
  const { kind, step } = outline;
  if (kind !== 'check') return verifies(outline);
  return !step || ('gate' in step ? step.gate !== 'baseline' : true);
}

function verifies(outline: NamedOutline | undefined): boolean {
  return outline?.kind === 'agent' && (!outline.step || 'verify' in outline.step);
}
