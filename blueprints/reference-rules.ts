/** Decides what a chain of members, such as `steps.survey.stdout`, may read at its place. */
import type { ErrorCode } from '../base/errors.ts';
import type { KeyPath } from './issues.ts';
import type { ExpressionSite } from './expression-sites.ts';
import { kinds, withArticle } from './kinds/kinds.ts';
import { findNearest } from './nearest.ts';
import type { NamedOutline } from './outlines.ts';
import { fieldsOf, isRoot, outputsOf, roots } from './outputs.ts';
import type { KnownInputs } from './shape.ts';

/** What one step can read. */
export interface View {
  /** The earlier steps that it can read. */
  visible: ReadonlyMap<string, NamedOutline>;
  /** The variables of the blocks around it. */
  variables: readonly string[];
  /** The blocks around it. */
  around: readonly NamedOutline[];
  /** A root that can be read here and nowhere else. */
  reads?: ExpressionSite['reads'];
}

/** What the whole blueprint declares. */
export interface Known {
  all: ReadonlyMap<string, NamedOutline>;
  /** Undefined if that section is not a map; then any input may be read. */
  inputs: KnownInputs | undefined;
  lineOf(path: KeyPath): number;
}

interface Problem {
  code: ErrorCode;
  message: string;
  hint?: string | undefined;
}

/** Finds what is wrong with a reference; undefined if nothing is. */
export function findProblem(path: string[], view: View, known: Known): Problem | undefined {
  const [root = '', name] = path;
  if (view.variables.includes(root)) return undefined;
  if (!isRoot(root))
    return unknown(
      `\`${root}\` is unknown here`,
      didYouMean(root, ['inputs', 'steps', ...Object.keys(roots), ...view.variables]),
    );
  if (root === 'steps')
    return name === undefined
      ? unknown('`steps` alone is not a value', 'write `steps.ID`')
      : findStepProblem(name, path.slice(2), view, known);
  if (root === 'evidence' && view.reads !== 'evidence')
    return unknown('`evidence` can be read only in the `body` of a `change` step', undefined);
  if (name === undefined) return undefined;
  if (root === 'inputs') {
    if (!known.inputs || Object.hasOwn(known.inputs, name)) return undefined;
    return unknown(
      `there is no input \`${name}\``,
      didYouMean(name, Object.keys(known.inputs)) ?? 'declare it under `inputs`',
    );
  }
  const fields = fieldsOf(root) ?? [];
  return fields.includes(name)
    ? undefined
    : unknown(`\`${root}\` has no \`${name}\``, didYouMean(name, fields) ?? `it has ${fields.join(', ')}`);
}

function findStepProblem(id: string, members: string[], view: View, known: Known): Problem | undefined {
  const visible = view.visible.get(id);
  if (visible) return findMemberProblem(visible, members);
  const hidden = known.all.get(id);
  if (!hidden) return unknown(`there is no step \`${id}\``, didYouMean(id, view.visible.keys()));
  const outer = hidden.around.find((block) => !view.around.includes(block));
  const why = outer?.block && kinds[outer.block].children?.hidden(outer.id);
  if (why)
    return {
      code: 'hidden-reference',
      message: `step \`${id}\` ${why.because}, so it can't be read from outside`,
      hint: why.hint,
    };
  return {
    code: 'forward-reference',
    message: `step \`${id}\` has not run yet when this is read; it is on line ${known.lineOf(hidden.path)}`,
  };
}

function findMemberProblem({ id, kind, step }: NamedOutline, [output, member]: string[]): Problem | undefined {
  if (output === undefined || kind === undefined) return undefined;
  const outputs = outputsOf(kind, step);
  if (!Object.hasOwn(outputs, output)) {
    const { needs } = outputsOf(kind, undefined)[output] ?? {};
    if (needs !== undefined) return unknown(`step \`${id}\` has no \`${output}\``, `it has one if ${needs} is set`);
    return unknown(
      `${withArticle(kind)} step has no output \`${output}\``,
      didYouMean(output, Object.keys(outputs)) ?? `it has ${Object.keys(outputs).join(', ') || 'none'}`,
    );
  }
  const known = member === undefined || !step ? undefined : kinds[kind].membersOf?.(step, output);
  if (member === undefined || !known || known.names.includes(member)) return undefined;
  return unknown(`${known.of} of step \`${id}\` has no \`${member}\``, didYouMean(member, known.names));
}

function unknown(message: string, hint: string | undefined): Problem {
  return { code: 'unknown-reference', message, hint };
}

function didYouMean(word: string, words: Iterable<string>): string | undefined {
  const nearest = findNearest(word, words);
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
}
