/** Warns of work that no check decides on: it would become a draft that says so first. */
import { kinds } from './kinds/kinds.ts';
import type { NamedOutline } from './outlines.ts';
import type { Report } from './report.ts';

/** `all` are the steps in the order of the text. */
export function warnOfUnchecked(all: NamedOutline[], report: Report): void {
  const first = all.findIndex(decides);
  const last = all.findLastIndex(decides);
  for (const [index, { kind, path }] of all.entries()) {
    if (!kind || !kinds[kind].unchecked) continue;
    const { unless, code, message, hint } = kinds[kind].unchecked;
    const isChecked = unless === 'earlier' ? first >= 0 && first < index : last >= index;
    if (!isChecked) report.warnKey([...path, kind], code, message, hint);
  }
}

/** Whether the step has checks that decide. A step that can't be read gets the benefit of the doubt. */
function decides({ kind, step }: NamedOutline): boolean {
  const definition = kind && kinds[kind];
  return definition?.decides !== undefined && (!step || definition.decides(step));
}
