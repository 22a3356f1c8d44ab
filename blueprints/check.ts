/** Checks a blueprint as a whole, before anything starts. */
import { findSchemaProblem } from './answer-schema.ts';
import { BlueprintInvalid, type Issue, type KeyPath, pathText } from './issues.ts';
import type { Json } from '../base/json.ts';
import { findInputProblem } from './inputs.ts';
import { kinds } from './kinds/kinds.ts';
import { flatten, type NamedOutline, nameOutlines } from './outlines.ts';
import { checkReferences } from './references.ts';
import { Report } from './report.ts';
import { checkRules } from './rules.ts';
import { warnOfUnchecked } from './unchecked.ts';
import type { Blueprint } from './schema.ts';
import { checkShape, maxSteps, type Shape } from './shape.ts';
import { hasTemplate } from './template.ts';
import { checkText } from './text.ts';
import { readUsualYaml } from './usual-yaml.ts';
import { readYaml } from './yaml.ts';

/**
 * Finds all problems of a blueprint, with their places. `blueprint` is set if there are none, whatever the warnings. Never throws, whatever
 * the text. `file` is the name that issues give; no file is read.
 */
export function checkBlueprint(
  text: string | Uint8Array,
  options: { file: string },
): { blueprint: Blueprint | undefined; issues: Issue[]; warnings: Issue[] } {
  const checked = checkText(text);
  if ('problem' in checked) {
    const { line, ...issue } = checked.problem;
    return {
      blueprint: undefined,
      issues: [{ ...issue, file: options.file, line, column: 1, path: '' }],
      warnings: [],
    };
  }
  const { text: source } = checked;
  const usual = readUsualYaml(source);
  if (usual !== undefined) {
    const report = new Report(options.file, source);
    const blueprint = checkValue(usual, report);
    if (report.issues.length === 0 && report.warnings.length === 0) return { blueprint, issues: [], warnings: [] };
    // Only the full parser knows the places of mistakes and warnings, and whether the text is YAML at all.
  }
  const report = new Report(options.file, source);
  const { yaml, problems } = readYaml(source);
  for (const problem of problems) report.addAt(problem, problem.code, problem.message, [], problem.hint);
  if (yaml) report.setYaml(yaml);
  const blueprint = yaml && checkValue(yaml.value, report);
  const issues = report.sorted();
  return { blueprint: issues.length === 0 ? blueprint : undefined, issues, warnings: report.warnings };
}

/** Parses a blueprint that must be right. @throws BlueprintInvalid */
export function parseBlueprint(text: string | Uint8Array, options: { file: string }): Blueprint {
  const { blueprint, issues } = checkBlueprint(text, options);
  if (!blueprint) throw new BlueprintInvalid(issues);
  return blueprint;
}

function checkValue(value: Json, report: Report): Blueprint | undefined {
  const shape = checkShape(value, report);
  const outlines = nameOutlines(shape.outlines);
  const flat = flatten(outlines);
  const all = new Map<string, NamedOutline>(flat.map((outline) => [outline.id, outline]));
  checkInputSection(shape, report);
  checkBudgetSection(shape, flat, report);
  checkAnswers(flat, report);
  checkRules(outlines, report);
  checkReferences(outlines, all, shape.inputs, report);
  warnOfUnchecked(flat, report);
  refuseIdleTemplates(value, flat, report);
  return shape.blueprint;
}

/** Refuses a template at a key where nothing is evaluated: it would be taken literally, which nobody intends. */
function refuseIdleTemplates(value: Json, outlines: NamedOutline[], report: Report): void {
  const templates: KeyPath[] = [];
  const withNul: KeyPath[] = [];
  findTexts(value, [], (text, path) => {
    if (hasTemplate(text)) templates.push([...path]);
    if (text.includes('\0')) withNul.push([...path]);
  });
  for (const path of withNul) report.add(path, 'blueprint-not-text', 'the text contains a NUL character');
  // Beyond the steps that are allowed, nothing was read.
  if (templates.length === 0 || outlines.length > maxSteps) return;
  const evaluated = new Set(
    outlines.flatMap(({ path, sites }) =>
      sites.filter(({ text }) => hasTemplate(text)).map((site) => pathText(report.asWritten([...path, ...site.path]))),
    ),
  );
  // A step that couldn't be read has been reported already.
  const unread = outlines.filter(({ step }) => !step).map(({ path }) => pathText(report.asWritten(path)));
  for (const path of templates) {
    const text = pathText(path);
    if (evaluated.has(text) || path.at(-1) === 'description' || unread.some((step) => text.startsWith(step))) continue;
    report.addIn(
      path,
      { source: '${{', nth: 0, offset: 0, length: 3 },
      'template-not-here',
      'nothing is evaluated here, so `${{ }}` would be used literally',
    );
  }
}

/** Calls `visit` for every text in a value, with its path, which goes on changing. */
function findTexts(value: Json, path: (string | number)[], visit: (text: string, path: KeyPath) => void): void {
  if (typeof value === 'string') {
    visit(value, path);
  } else if (typeof value === 'object' && value !== null) {
    const isList = Array.isArray(value);
    for (const [key, inner] of Object.entries(value)) {
      path.push(isList ? Number(key) : key);
      findTexts(inner, path, visit);
      path.pop();
    }
  }
}

/** Refuses steps that ask a model in a blueprint whose budget allows no model. */
function checkBudgetSection({ blueprint }: Shape, outlines: NamedOutline[], report: Report): void {
  const { tokens, turns } = blueprint?.budget ?? {};
  const limit = tokens === 0 ? 'tokens' : 'turns';
  if (tokens !== 0 && turns !== 0) return;
  for (const { kind, path } of outlines)
    if (kind && kinds[kind].asksModel)
      report.addKey([...path, kind], 'wrong-value', `this step asks a model, but \`budget.${limit}\` is 0`);
}

/** Compiling schemas takes time by their sizes. Equal ones are compiled once. */
const maxAnswerCharacters = 20_000;
const leastAnswerCharacters = 200;

/** Refuses schemas that no answer could be held to, which would be found only after the answer was paid. */
function checkAnswers(outlines: NamedOutline[], report: Report): void {
  const seen = new Set<string>();
  let characters = 0;
  for (const { kind, step, path } of outlines) {
    const answer = kind && step && kinds[kind].answerOf?.(step);
    if (!answer || report.isFull()) continue;
    const at = [...path, ...answer.path];
    const text = JSON.stringify(answer.schema);
    if (!seen.has(text)) characters += Math.max(text.length, leastAnswerCharacters);
    seen.add(text);
    if (characters > maxAnswerCharacters) {
      const message = `the schemas of a blueprint's answers have at most ${maxAnswerCharacters} characters together`;
      report.add(at, 'answer-keyword', message, 'ask for less at once, or use the same schema in several steps');
      return;
    }
    const problem = findSchemaProblem(answer.schema);
    if (problem) report.addKey([...at, ...problem.path], 'answer-keyword', problem.message, problem.hint);
  }
}

function checkInputSection({ inputs }: Shape, report: Report): void {
  for (const [name, input] of Object.entries(inputs ?? {})) {
    if (['true', 'false', 'null', 'in'].includes(name))
      report.addKey(
        ['inputs', name],
        'reserved-name',
        `\`${name}\` is a word of the expression language, so \`inputs.${name}\` can't be read`,
      );
    if (!input) continue;
    if (input.enum && input.type !== 'string' && input.type !== 'list')
      report.addKey(
        ['inputs', name, 'enum'],
        'key-without-effect',
        `\`enum\` is for inputs of type \`string\` and \`list\``,
      );
    const problem = input.default === undefined ? undefined : findInputProblem(input, input.default);
    if (problem !== undefined) report.add(['inputs', name, 'default'], 'invalid-default', `the default ${problem}`);
  }
}
