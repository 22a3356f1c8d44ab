/** Checks every expression of a blueprint against what it can read at its place. */
import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import { ExpressionFailed, parseExpression } from './cel-parse.ts';
import { checkTypes, declare } from './declarations.ts';
import type { ExpressionSite } from './expression-sites.ts';
import { findConstantFailure } from './constants.ts';
import { findReferences } from './expressions.ts';
import type { KeyPath } from './issues.ts';
import type { NamedOutline } from './outlines.ts';
import { findProblem, type Known, type View } from './reference-rules.ts';
import type { Report } from './report.ts';
import type { KnownInputs } from './shape.ts';
import { parseTemplate } from './template.ts';

/** The place of an expression in the text. */
interface Source {
  path: KeyPath;
  source: string;
  /** The number of this source among equal ones at this path. */
  nth: number;
}

/** Reports every reference that can't be read at its place, and every expression with wrong types. */
export function checkReferences(
  outlines: NamedOutline[],
  all: ReadonlyMap<string, NamedOutline>,
  inputs: KnownInputs | undefined,
  report: Report,
): void {
  const variables = [...all.values()].flatMap(({ variable }) => variable ?? []);
  const checker = new ReferenceChecker(
    { all, inputs, lineOf: (path) => report.line(path) },
    declare(inputs, all, variables),
    report,
  );
  checker.checkSteps(outlines, { visible: new Map(), variables: [], around: [] });
}

/** Most expressions only read something, so no part of them is constant. */
const isChain = /^\s*[a-z][\w.]*\s*$/;

class ReferenceChecker {
  private readonly known: Known;
  private readonly declared: Environment;
  private readonly report: Report;

  constructor(known: Known, declared: Environment, report: Report) {
    this.known = known;
    this.declared = declared;
    this.report = report;
  }

  checkSteps(outlines: NamedOutline[], view: View): void {
    const visible = new Map(view.visible);
    for (const outline of outlines) {
      const { sites, inner, variable } = outline;
      for (const site of sites) this.checkSite(outline, site, { ...view, visible, reads: site.reads });
      const variables = variable === undefined ? view.variables : [...view.variables, variable];
      if (inner.length > 0) this.checkSteps(inner, { visible, variables, around: [...view.around, outline] });
      visible.set(outline.id, outline);
    }
  }

  private checkSite(outline: NamedOutline, site: ExpressionSite, view: View): void {
    // The names that were probably meant are looked for, which a hostile text could multiply.
    if (this.report.isFull()) return;
    const path = [...outline.path, ...site.path];
    if (site.form === 'condition') {
      this.checkSource({ path, source: site.text, nth: 0 }, 'bool', view);
      return;
    }
    try {
      const parts = parseTemplate(site.text).filter((part) => 'source' in part);
      if (site.form === 'shell') this.refuseInShell(path, parts);
      else if (site.form === 'list') this.checkList(path, site.text, parts, view);
      else this.checkParts(path, parts, view);
    } catch (error) {
      if (!(error instanceof ExpressionFailed)) throw error;
      this.report.addIn(
        path,
        { source: site.text.slice(error.offset), nth: 0, offset: 0, length: 3 },
        'expression-invalid',
        error.message,
      );
    }
  }

  private refuseInShell(path: KeyPath, parts: { source: string }[]): void {
    for (const [index] of parts.entries()) {
      const place = { source: '${{', nth: index, offset: 0, length: 3 };
      this.report.addIn(
        path,
        place,
        'template-in-shell',
        '`${{ }}` in a shell script would turn a value into code',
        'pass the value through `env:`, or write the command as a list of words',
      );
    }
  }

  private checkList(path: KeyPath, text: string, parts: { source: string }[], view: View): void {
    const [part] = parts;
    if (parts.length !== 1 || !part || text !== `\${{${part.source}}}`) {
      const message = `\`${path.at(-1)}\` needs a list: exactly one \`\${{ }}\`, with nothing around it`;
      this.report.add(path, 'expression-type', message);
      return;
    }
    this.checkSource({ path, source: part.source, nth: 0 }, 'list', view);
  }

  private checkParts(path: KeyPath, parts: { source: string }[], view: View): void {
    const seen = new Map<string, number>();
    for (const { source } of parts) {
      const nth = seen.get(source) ?? 0;
      seen.set(source, nth + 1);
      this.checkSource({ path, source, nth }, undefined, view);
    }
  }

  private checkSource(at: Source, expected: 'bool' | 'list' | undefined, view: View): void {
    let expression: ParseResult;
    try {
      expression = parseExpression(at.source, this.declared);
    } catch (error) {
      if (!(error instanceof ExpressionFailed)) throw error;
      this.report.addIn(
        at.path,
        { ...at, offset: error.offset, length: error.length },
        'expression-invalid',
        error.message,
      );
      return;
    }
    // If an expression reads something that doesn't exist, its types mean nothing.
    const before = this.report.issues.length;
    for (const reference of findReferences(expression)) {
      const problem = findProblem(reference.path, view, this.known);
      if (problem) this.report.addIn(at.path, { ...at, ...reference }, problem.code, problem.message, problem.hint);
    }
    if (this.report.issues.length > before) return;
    for (const problem of checkTypes(at.source, expression, expected))
      this.report.addIn(at.path, { ...at, ...problem }, problem.code, problem.message);
    if (this.report.issues.length > before) return;
    const failure = isChain.test(at.source) ? undefined : findConstantFailure(expression);
    if (failure)
      this.report.addIn(
        at.path,
        { ...at, offset: failure.offset, length: failure.length },
        failure.code,
        failure.message,
      );
  }
}
