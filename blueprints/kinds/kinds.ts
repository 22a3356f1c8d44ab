/** The kinds of step, one line each. Pages, schemas and messages list them in this order. */
import type { Step } from '../schema.ts';
import { agentKind } from './agent.ts';
import { approveKind } from './approve.ts';
import { changeKind } from './change.ts';
import { checkKind } from './check.ts';
import { ciKind } from './ci.ts';
import { eachKind } from './each.ts';
import { editKind } from './edit.ts';
import { endKind } from './end.ts';
import type { Children, Kind } from './kind.ts';
import { promptKind } from './prompt.ts';
import { runKind } from './run.ts';

const table = {
  run: runKind,
  check: checkKind,
  agent: agentKind,
  prompt: promptKind,
  edit: editKind,
  each: eachKind,
  change: changeKind,
  ci: ciKind,
  approve: approveKind,
  end: endKind,
};

/** Words that are reserved for kinds that this version doesn't have. */
export const futureKinds = ['parallel', 'repeat', 'call', 'tool'];

export type StepKind = keyof typeof table;
/** A step of each kind. */
export type StepOfTable = { [K in StepKind]: (typeof table)[K] extends Kind<infer S> ? S : never }[StepKind];

/** The definition of each kind. Ask a definition only about steps of its kind. */
export const kinds: Readonly<Record<StepKind, Kind<Step>>> = table;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is in the table
export const stepKinds = Object.keys(table) as StepKind[];

/** Makes a record with a value for each kind. */
export function forEachKind<T>(make: (kind: StepKind) => T): Record<StepKind, T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the table
  return Object.fromEntries(stepKinds.map((kind) => [kind, make(kind)])) as Record<StepKind, T>;
}

/** The kinds whose steps hold steps. */
export const blocks: readonly { kind: StepKind; children: Children }[] = stepKinds.flatMap((kind) => {
  const { children } = kinds[kind];
  return children ? [{ kind, children }] : [];
});

export function isStepKind(key: string): key is StepKind {
  return Object.hasOwn(table, key);
}

/** A kind as a sentence has it: `` an `agent` ``, `` a `run` ``. */
export function withArticle(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} \`${kind}\``;
}
