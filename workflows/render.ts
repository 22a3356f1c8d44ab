/** Turns what an author wrote into what runs: templates, environments and commands, evaluated in a step's scope. */
import { doublesOfItems, evaluateCondition, renderTemplate, renderText } from '../blueprints/expressions.ts';
import type { Json } from '../base/json.ts';
import type { Command } from '../blueprints/values.ts';
import type { RenderedCommand, Scope } from './context.ts';
import type { StepRecord } from './memory.ts';

/** The scope with the outputs of one more step. */
export function withStep(scope: Scope, id: string, record: StepRecord): Scope {
  const cut = new Set(scope.cut);
  for (const field of record.cut ?? []) cut.add(`steps.${id}.${field}`);
  const outputs: Json = { ...record.outputs, outcome: record.outcome };
  const { steps: known } = scope.values;
  const steps = { ...(typeof known === 'object' && !Array.isArray(known) && known), [id]: outputs };
  return { ...scope, values: { ...scope.values, steps }, cut };
}

/** The scope with one more variable. */
export function withValue(scope: Scope, name: string, value: Json): Scope {
  return { ...scope, values: { ...scope.values, [name]: value } };
}

/** The scope with a variable that holds an item of the list which a template gives. */
export function withItem(scope: Scope, { name, list, item }: { name: string; list: string; item: Json }): Scope {
  const doubles = new Map(scope.doubles);
  const own = doublesOfItems(list, scope.doubles);
  if (own !== undefined) doubles.set(name, own);
  return { ...withValue(scope, name, item), doubles };
}

export const isTrue = (condition: string | boolean, { values, ...options }: Scope): boolean =>
  evaluateCondition(condition, values, options);
export const value = (template: string, { values, ...options }: Scope): Json =>
  renderTemplate(template, values, options);
export const text = (template: string, { values, ...options }: Scope): string => renderText(template, values, options);

/** The environment of a command. It is the only way in which values reach a shell. */
export function environment(env: Record<string, string | number> | undefined, scope: Scope): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env ?? {}).map(([name, template]) => [
      name,
      typeof template === 'number' ? String(template) : text(template, scope),
    ]),
  );
}

/**
 * The command to run. A string is a shell script and is never rendered. A list is rendered word by word, and each word
 * stays one word.
 */
export function command(source: Command, scope: Scope): RenderedCommand {
  if (typeof source === 'string') return { shown: firstLine(source), argv: ['sh', '-ec', source] };
  const argv = source.map((word) => text(word, scope));
  return { shown: firstLine(argv.join(' ')), argv };
}

function firstLine(script: string): string {
  const [line = '', ...more] = script.trim().split('\n');
  return `${line.slice(0, 200)}${more.length > 0 || line.length > 200 ? ' …' : ''}`;
}
