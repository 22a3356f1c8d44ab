/** Finds the texts of a step that are evaluated, as the definition of its kind says. */
import type { KeyPath } from './issues.ts';
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import { commonEvaluated, type Evaluated } from './kinds/kind.ts';
import { kinds, type StepKind } from './kinds/kinds.ts';

/** A text that is evaluated, and its place. */
export interface ExpressionSite {
  /** Relative to the step. */
  path: KeyPath;
  text: string;
  /**
   * `condition`: bare CEL that gives a bool. `list`: a template that gives a list. `shell`: a script, which must not
   * hold a template.
   */
  form: 'condition' | 'template' | 'list' | 'shell';
  /** A root that can be read here and nowhere else. */
  reads?: Evaluated['reads'];
}

/**
 * Finds every text of a step that is evaluated or that a shell reads, whatever else is wrong with the step. Inner steps
 * are left out. If the kind is unknown, it finds the texts that any kind may have.
 */
export function findExpressionSites(step: JsonMap, kind: StepKind | undefined): ExpressionSite[] {
  const sites: ExpressionSite[] = [];
  const own = kind ? kinds[kind].evaluated : [];
  for (const { key, inner, is, reads } of [...commonEvaluated, ...own]) {
    const value = step[key];
    const before = sites.length;
    if (inner === undefined) addSites(sites, [key], value, is);
    else if (isJsonMap(value)) addSites(sites, [key, inner], value[inner], is);
    if (reads) for (const site of sites.slice(before)) site.reads = reads;
  }
  return sites;
}

function addSites(sites: ExpressionSite[], path: KeyPath, value: Json | undefined, is: Evaluated['is']): void {
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
