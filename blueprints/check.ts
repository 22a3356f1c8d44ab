/** Checks a blueprint as a whole, before anything starts. */
import { expressionSites } from './expression-sites.ts';
import { BlueprintInvalid, type Issue, type KeyPath, pathText } from './issues.ts';
import type { Json } from './json.ts';
import { findInputProblem } from './inputs.ts';
import { flatten, type NamedOutline, nameOutlines } from './outlines.ts';
import { checkReferences } from './references.ts';
import { Report } from './report.ts';
import { checkRules } from './rules.ts';
import type { Blueprint } from './schema.ts';
import { checkShape, type Shape } from './shape.ts';
import { hasTemplate } from './template.ts';
import { checkText } from './text.ts';
import { readYaml, type YamlText } from './yaml.ts';

/**
 * Everything that is wrong with a blueprint, at once and by place; `blueprint` where nothing is.
 * Never throws, whatever the text. `file` is how issues call it; nothing is read from there.
 */
export function checkBlueprint(text: string | Uint8Array, options: { file: string }): { blueprint: Blueprint | undefined; issues: Issue[] } {
  const checked = checkText(text);
  if ('problem' in checked) {
    const { line, ...issue } = checked.problem;
    return { blueprint: undefined, issues: [{ ...issue, file: options.file, line, column: 1, path: '' }] };
  }
  const report = new Report(options.file, checked.text);
  const { yaml, problems } = readYaml(checked.text);
  for (const problem of problems) report.addAt(problem, problem.code, problem.message);
  const blueprint = yaml && checkYaml(yaml, report);
  const issues = report.sorted();
  return { blueprint: issues.length === 0 ? blueprint : undefined, issues };
}

/** @throws BlueprintInvalid */
export function parseBlueprint(text: string | Uint8Array, options: { file: string }): Blueprint {
  const { blueprint, issues } = checkBlueprint(text, options);
  if (!blueprint) throw new BlueprintInvalid(issues);
  return blueprint;
}

function checkYaml(yaml: YamlText, report: Report): Blueprint | undefined {
  report.setYaml(yaml);
  const shape = checkShape(yaml.value, report);
  const outlines = nameOutlines(shape.outlines);
  const all = new Map<string, NamedOutline>(flatten(outlines).map((outline) => [outline.id, outline]));
  checkInputSection(shape, report);
  checkRules(outlines, report);
  checkReferences(outlines, all, shape.inputs, report);
  refuseIdleTemplates(yaml.value, [], evaluatedPaths(flatten(outlines)), report);
  return shape.blueprint;
}

/** The paths at which a template is evaluated, or was refused already. */
function evaluatedPaths(outlines: NamedOutline[]): Set<string> {
  return new Set(outlines.flatMap(({ path, step }) => (step ? expressionSites(step).map((site) => pathText([...path, ...site.path])) : [pathText(path)])));
}

/** A template where nothing is evaluated would be taken as it stands, which nobody means. */
function refuseIdleTemplates(value: Json, path: KeyPath, evaluated: ReadonlySet<string>, report: Report): void {
  const text = pathText(path);
  if (typeof value === 'string') {
    if (!hasTemplate(value) || evaluated.has(text) || path.at(-1) === 'description') return;
    report.addIn(path, { source: '${{', nth: 0, offset: 0, length: 3 }, 'template-not-here', 'nothing is evaluated here, so `${{ }}` would be taken as it stands');
  } else if (typeof value === 'object' && value !== null) {
    // A step that couldn't be read has its own problem.
    if (evaluated.has(text)) return;
    for (const [key, inner] of Object.entries(value)) refuseIdleTemplates(inner, [...path, Array.isArray(value) ? Number(key) : key], evaluated, report);
  }
}

function checkInputSection({ inputs }: Shape, report: Report): void {
  for (const [name, input] of Object.entries(inputs ?? {})) {
    if (['true', 'false', 'null', 'in'].includes(name)) report.addKey(['inputs', name], 'reserved-name', `\`${name}\` is a word of expressions, so \`inputs.${name}\` can't be read`);
    if (input.enum && input.type !== 'string' && input.type !== 'list') report.addKey(['inputs', name, 'enum'], 'key-without-effect', `\`enum\` is for inputs of type \`string\` and \`list\``);
    const problem = input.default === undefined ? undefined : findInputProblem(input, input.default);
    if (problem !== undefined) report.add(['inputs', name, 'default'], 'invalid-default', `the default ${problem}`);
  }
}
