/** Where a step holds expressions: the one list of keys in which anything is evaluated. */
import type { KeyPath } from './issues.ts';
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import type { StepKind } from './schema.ts';

export interface ExpressionSite {
  /** Below the step. */
  path: KeyPath;
  text: string;
  /** `condition`: bare CEL that gives a bool; `list`: a template that gives a list; `shell`: a script, in which no template may stand. */
  form: 'condition' | 'template' | 'list' | 'shell';
}

/** A key, or one inside of it, and what its value is. */
interface Place {
  key: string;
  inner?: string;
  is: Exclude<ExpressionSite['form'], 'shell'> | 'command' | 'commands' | 'templates';
}

const commonPlaces: Place[] = [
  { key: 'if', is: 'condition' },
  { key: 'env', is: 'templates' },
];

const places: Record<StepKind, Place[]> = {
  run: [{ key: 'run', is: 'command' }],
  check: [{ key: 'check', is: 'commands' }],
  agent: [...templates('agent', 'task', 'system'), { key: 'verify', is: 'commands' }],
  prompt: templates('prompt', 'text', 'system'),
  edit: templates('edit', 'path', 'old', 'new', 'line'),
  each: [{ key: 'each', is: 'list' }],
  change: templates('change', 'title', 'body', 'branch'),
  ci: [{ key: 'ci', inner: 'autofix', is: 'commands' }],
  approve: templates('approve', 'question'),
  end: templates('end', 'reason'),
};

function templates(key: string, ...inner: string[]): Place[] {
  return inner.map((each) => ({ key, inner: each, is: 'template' }));
}

/**
 * Every text of a step that is evaluated, or that a shell reads, whatever else is wrong with the step; inner steps have
 * their own. Of a step whose kind is unknown, those that any kind has.
 */
export function findExpressionSites(step: JsonMap, kind: StepKind | undefined): ExpressionSite[] {
  const sites: ExpressionSite[] = [];
  for (const { key, inner, is } of kind ? [...commonPlaces, ...places[kind]] : commonPlaces) {
    const value = step[key];
    if (inner === undefined) addSites(sites, [key], value, is);
    else if (isJsonMap(value)) addSites(sites, [key, inner], value[inner], is);
  }
  return sites;
}

function addSites(sites: ExpressionSite[], path: KeyPath, value: Json | undefined, is: Place['is']): void {
  if (is === 'commands') {
    if (Array.isArray(value))
      for (const [index, command] of value.entries()) addSites(sites, [...path, index], command, 'command');
  } else if (is === 'templates') {
    if (isJsonMap(value))
      for (const [key, text] of Object.entries(value)) addSites(sites, [...path, key], text, 'template');
  } else if (is === 'command' && Array.isArray(value)) {
    for (const [index, word] of value.entries()) addSites(sites, [...path, index], word, 'template');
  } else if (typeof value === 'string') sites.push({ path, text: value, form: is === 'command' ? 'shell' : is });
}
