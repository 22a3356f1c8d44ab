/** Warns of work that no check decides on: it would become a draft that says so first. */
import { kinds } from './kinds/kinds.ts';
import { flatten, type NamedOutline } from './outlines.ts';
import type { Report } from './report.ts';

export function warnOfUnchecked(outlines: NamedOutline[], report: Report): void {
  const all = flatten(outlines);
  for (const [index, { kind, path }] of all.entries()) {
    if (!kind || !kinds[kind].unchecked) continue;
    const { unless, code, message, hint } = kinds[kind].unchecked;
    const deciding = unless === 'earlier' ? all.slice(0, index) : all.slice(index);
    if (!deciding.some(decides)) report.warnKey([...path, kind], code, message, hint);
  }
}

/** Whether the step has checks that decide. A step that can't be read gets the benefit of the doubt. */
function decides({ kind, step }: NamedOutline): boolean {
  const definition = kind && kinds[kind];
  return definition?.decides !== undefined && (!step || definition.decides(step));
}
