/** What the language asks beyond the shape of its parts: ids, order, nesting, and keys that would have no effect. */
import { isFreeName } from './declarations.ts';
import type { KeyPath } from './issues.ts';
import type { Json } from '../base/json.ts';
import { flatten, type NamedOutline } from './outlines.ts';
import type { Report } from './report.ts';
import type { StepKind } from './schema.ts';

const maxSteps = 1000;
const maxEachDepth = 2;

/** Kinds that happen once in a run. */
const onceOnly: readonly StepKind[] = ['change', 'ci', 'end'];

/** Common keys that a kind has no use for. */
const withoutEffect: Partial<Record<StepKind, string[]>> = {
  agent: ['retry'],
  prompt: ['env'],
  edit: ['env'],
  each: ['env', 'timeout', 'retry'],
  change: ['env', 'timeout', 'retry'],
  ci: ['timeout', 'retry'],
  approve: ['env', 'timeout', 'retry', 'on-failure'],
  end: ['env', 'timeout', 'retry', 'on-failure'],
};

export function checkRules(outlines: NamedOutline[], report: Report): void {
  const all = flatten(outlines);
  checkNames(all, report);
  checkOrder(outlines, all, report);
  for (const outline of all) {
    checkNesting(outline, report);
    checkKeys(outline, report);
  }
}

function checkNames(all: NamedOutline[], report: Report): void {
  const first = new Map<string, NamedOutline>();
  for (const outline of all) {
    const { id, path, step, around } = outline;
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
        `\`${id}\` is a word of expressions, so \`steps.${id}\` can't be read`,
      );
    if (!step || !('each' in step)) continue;
    const shadows = around.some((outer) =>
      all.some((other) => other.id === outer && other.step && 'each' in other.step && other.step.as === step.as),
    );
    if (shadows || !isFreeName(step.as))
      report.add(
        [...path, 'as'],
        'reserved-name',
        `\`${step.as}\` means something else in the expressions of this step`,
      );
  }
}

function checkOrder(outlines: NamedOutline[], all: NamedOutline[], report: Report): void {
  if (all.length > maxSteps)
    report.add(
      all[maxSteps]?.path ?? [],
      'too-many-steps',
      `a blueprint has at most ${maxSteps} steps; this one has ${all.length}`,
    );
  const firstChange = all.findIndex(({ kind }) => kind === 'change');
  for (const [index, { kind, path }] of all.entries()) {
    if (kind === 'ci' && (firstChange < 0 || firstChange > index))
      report.addKey([...path, 'ci'], 'ci-without-change', '`ci` needs a `change` step before it');
  }
  const end = outlines.findIndex(({ step }) => step && 'end' in step && (step.if === undefined || step.if === true));
  const next = end < 0 ? undefined : outlines[end + 1];
  if (next)
    report.add(
      next.path,
      'unreachable-step',
      `the \`end\` on line ${report.line(outlines[end]?.path ?? [])} has no condition, so nothing after it can run`,
    );
}

function checkNesting({ kind, path, around }: NamedOutline, report: Report): void {
  if (kind === undefined || around.length === 0) return;
  if (onceOnly.includes(kind))
    report.addKey(
      [...path, kind],
      'not-inside-each',
      `\`${kind}\` happens once in a run, so it can't stand inside of \`each\``,
    );
  if (kind === 'each' && around.length === maxEachDepth)
    report.addKey([...path, kind], 'each-too-deep', `\`each\` is nested at most ${maxEachDepth} deep`);
}

/** Keywords of JSON Schema that run a pattern of the author's, or fetch a schema from elsewhere, in the worker. */
function checkAnswer(schema: Json, path: KeyPath, report: Report): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, inner] of Object.entries(schema)) {
    const here = [...path, Array.isArray(schema) ? Number(key) : key];
    const isKeyword = path.at(-1) !== 'properties';
    if (isKeyword && ['pattern', 'patternProperties', '$ref', '$dynamicRef'].includes(key)) {
      report.addKey(
        here,
        'answer-keyword',
        `\`${key}\` is not part of an answer's schema here`,
        key === 'pattern' ? 'use `enum`, or check the answer in a `run` step' : undefined,
      );
    } else checkAnswer(inner, here, report);
  }
}

function checkKeys({ kind, path, step }: NamedOutline, report: Report): void {
  if (!kind || !step) return;
  for (const key of withoutEffect[kind] ?? []) {
    if (Object.hasOwn(step, key))
      report.addKey([...path, key], 'key-without-effect', `\`${key}\` has no effect on a \`${kind}\` step`);
  }
  if ('agent' in step && step.attempts !== undefined && step.verify === undefined) {
    report.addKey(
      [...path, 'attempts'],
      'attempts-without-verify',
      '`attempts` needs `verify`: nothing else can tell that an attempt failed',
    );
  }
  if ('prompt' in step) checkAnswer(step.prompt.answer, [...path, 'prompt', 'answer'], report);
  if (kind === 'change' && step['on-failure'] === 'continue') {
    report.add(
      [...path, 'on-failure'],
      'continue-after-side-effect',
      'a run must not go on after a change that may or may not have been opened',
    );
  }
}
