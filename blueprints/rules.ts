/** The rules of the language beyond the shape of its parts: ids, order, nesting, and keys that would have no effect. */
import { isFreeName } from './declarations.ts';
import { type StepKind, kinds, withArticle } from './kinds/kinds.ts';
import { flatten, type NamedOutline } from './outlines.ts';
import type { Report } from './report.ts';
import { maxSteps } from './shape.ts';

/** Reports what is wrong with ids, order and nesting, and with keys that would have no effect. */
export function checkRules(outlines: NamedOutline[], report: Report): void {
  const all = flatten(outlines);
  checkIds(all, report);
  if (all.length > maxSteps)
    report.add(
      all[maxSteps]?.path ?? [],
      'too-many-steps',
      `a blueprint has at most ${maxSteps} steps; this one is one too many`,
    );
  checkList(outlines, [], report);
}

function checkIds(all: NamedOutline[], report: Report): void {
  const first = new Map<string, NamedOutline>();
  for (const outline of all) {
    const { id, path } = outline;
    const earlier = first.get(id);
    if (earlier && outline.id !== '')
      report.add(
        [...path, 'id'],
        'duplicate-id',
        `\`${id}\` is already the id of the step on line ${report.line(earlier.path)}`,
      );
    else first.set(id, outline);
    if (['true', 'false', 'null', 'in'].includes(id))
      report.add(
        [...path, 'id'],
        'reserved-name',
        `\`${id}\` is a word of the expression language, so \`steps.${id}\` can't be read`,
      );
  }
}

/**
 * Checks a list of steps. `before` holds the steps that come earlier in the text; every checked step is added to it.
 */
function checkList(steps: NamedOutline[], before: NamedOutline[], report: Report): void {
  for (const [index, outline] of steps.entries()) {
    const { kind } = outline;
    if (kind) {
      checkPlace(kind, outline, report);
      checkKeys(kind, outline, report);
      kinds[kind].check?.({ ...outline, before, next: steps[index + 1] }, report);
    }
    checkVariable(outline, report);
    before.push(outline);
    checkList(outline.inner, before, report);
  }
}

function checkPlace(kind: StepKind, { path, around }: NamedOutline, report: Report): void {
  const block = around.at(-1)?.block;
  if (block === undefined || !kinds[kind].once) return;
  report.addKey(
    [...path, kind],
    'not-inside-each',
    `\`${kind}\` happens once in a run, so it can't be inside \`${block}\``,
  );
}

function checkKeys(kind: StepKind, { path, step }: NamedOutline, report: Report): void {
  if (!step) return;
  for (const key of kinds[kind].withoutEffect ?? []) {
    if (Object.hasOwn(step, key))
      report.addKey([...path, key], 'key-without-effect', `\`${key}\` has no effect on ${withArticle(kind)} step`);
  }
}

/** Checks the name of the variable that a block gives to its steps. */
function checkVariable({ path, step, block, variable, around }: NamedOutline, report: Report): void {
  const key = block && kinds[block].children?.variable;
  if (!step || key === undefined || variable === undefined) return;
  if (isFreeName(variable) && !around.some((outer) => outer.step && outer.variable === variable)) return;
  report.add(
    [...path, key],
    'reserved-name',
    `\`${variable}\` already means something else in the expressions of this step`,
  );
}
