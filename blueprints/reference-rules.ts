/** What a chain of members, such as `steps.survey.stdout`, may read at its place. */
import type { ErrorCode } from '../base/errors.ts';
import type { KeyPath } from './issues.ts';
import { findNearest } from './nearest.ts';
import type { NamedOutline } from './outlines.ts';
import { isRoot, outputsOf, roots } from './outputs.ts';
import type { KnownInputs } from './shape.ts';

/** What one step can read. */
export interface View {
  /** The steps before it that it can see. */
  visible: ReadonlyMap<string, NamedOutline>;
  /** The items of the `each` steps around it. */
  items: readonly string[];
  /** The ids of those `each` steps. */
  around: readonly string[];
}

/** What there is in the whole blueprint. */
export interface Known {
  all: ReadonlyMap<string, NamedOutline>;
  /** Undefined where that section is no map; then any input may be read. */
  inputs: KnownInputs | undefined;
  lineOf(path: KeyPath): number;
}

interface Problem {
  code: ErrorCode;
  message: string;
  hint?: string | undefined;
}

/** What is wrong with a reference, or undefined. */
export function findProblem(path: string[], view: View, known: Known): Problem | undefined {
  const [root = '', name] = path;
  if (view.items.includes(root)) return undefined;
  if (!isRoot(root))
    return unknown(
      `\`${root}\` is unknown here`,
      didYouMean(root, ['inputs', 'steps', ...Object.keys(roots), ...view.items]),
    );
  if (root === 'steps')
    return name === undefined
      ? unknown('`steps` is read step by step', 'write `steps.ID`')
      : findStepProblem(name, path.slice(2), view, known);
  if (name === undefined) return undefined;
  if (root === 'inputs') {
    if (!known.inputs || Object.hasOwn(known.inputs, name)) return undefined;
    return unknown(
      `there is no input \`${name}\``,
      didYouMean(name, Object.keys(known.inputs)) ?? 'declare it under `inputs`',
    );
  }
  const fields = Object.keys(roots[root] ?? {});
  return fields.includes(name)
    ? undefined
    : unknown(`\`${root}\` has no \`${name}\``, didYouMean(name, fields) ?? `it has ${fields.join(', ')}`);
}

function findStepProblem(id: string, members: string[], view: View, known: Known): Problem | undefined {
  const visible = view.visible.get(id);
  if (visible) return findMemberProblem(visible, members);
  const hidden = known.all.get(id);
  if (!hidden) return unknown(`there is no step \`${id}\``, didYouMean(id, view.visible.keys()));
  const loop = hidden.around.find((outer) => !view.around.includes(outer));
  if (loop !== undefined)
    return {
      code: 'hidden-reference',
      message: `step \`${id}\` runs once for each item of \`${loop}\`, so it can't be read from outside`,
      hint: `\`steps.${loop}\` counts what came of it`,
    };
  return {
    code: 'forward-reference',
    message: `step \`${id}\` has not run when this is read; it stands on line ${known.lineOf(hidden.path)}`,
  };
}

function findMemberProblem({ id, kind, step }: NamedOutline, [output, member]: string[]): Problem | undefined {
  if (output === undefined || kind === undefined) return undefined;
  const outputs = outputsOf(kind, step);
  if (!Object.hasOwn(outputs, output)) {
    if (kind === 'run' && output === 'value')
      return (
        step && unknown(`step \`${id}\` has no \`value\``, 'it has one where `parse: json` or `parse: lines` is set')
      );
    return unknown(
      `a \`${kind}\` step has no output \`${output}\``,
      didYouMean(output, Object.keys(outputs)) ?? `it has ${Object.keys(outputs).join(', ') || 'none'}`,
    );
  }
  if (member === undefined || output !== 'value' || !step || !('prompt' in step)) return undefined;
  const { properties } = step.prompt.answer;
  if (typeof properties !== 'object' || properties === null || Object.hasOwn(properties, member)) return undefined;
  return unknown(`the answer of step \`${id}\` has no \`${member}\``, didYouMean(member, Object.keys(properties)));
}

function unknown(message: string, hint: string | undefined): Problem {
  return { code: 'unknown-reference', message, hint };
}

function didYouMean(word: string, words: Iterable<string>): string | undefined {
  const nearest = findNearest(word, words);
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
}
