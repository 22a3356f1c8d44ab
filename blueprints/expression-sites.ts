/** Where a step holds expressions: the one list of keys in which anything is evaluated. */
import type { KeyPath } from './issues.ts';
import type { Command, Step } from './schema.ts';

export interface ExpressionSite {
  /** Below the step. */
  path: KeyPath;
  text: string;
  /** `condition`: bare CEL that gives a bool; `list`: a template that gives a list; `shell`: a script, in which no template may stand. */
  form: 'condition' | 'template' | 'list' | 'shell';
}

/** Every text of a step that is evaluated, or that a shell reads; inner steps have their own. */
export function expressionSites(step: Step): ExpressionSite[] {
  const sites: ExpressionSite[] = [];
  const add = (path: KeyPath, text: unknown, form: ExpressionSite['form'] = 'template'): void => {
    if (typeof text === 'string') sites.push({ path, text, form });
  };
  const addAll = (path: KeyPath, map: Record<string, unknown>, keys: string[]): void => {
    for (const key of keys) add([...path, key], map[key]);
  };
  const addCommand = (path: KeyPath, command: Command): void => {
    if (typeof command === 'string') add(path, command, 'shell');
    else for (const [index, word] of command.entries()) add([...path, index], word);
  };
  const addCommands = (path: KeyPath, commands: Command[] | undefined): void => {
    for (const [index, command] of (commands ?? []).entries()) addCommand([...path, index], command);
  };

  add(['if'], step.if, 'condition');
  if (step.env) addAll(['env'], step.env, Object.keys(step.env));
  if ('run' in step) addCommand(['run'], step.run);
  else if ('check' in step) addCommands(['check'], step.check);
  else if ('agent' in step) {
    addAll(['agent'], step.agent, ['task', 'system']);
    addCommands(['verify'], step.verify);
  } else if ('prompt' in step) addAll(['prompt'], step.prompt, ['text', 'system']);
  else if ('edit' in step) addAll(['edit'], step.edit, ['path', 'old', 'new', 'line']);
  else if ('each' in step) add(['each'], step.each, 'list');
  else if ('change' in step) addAll(['change'], step.change, ['title', 'body', 'branch']);
  else if ('ci' in step) addCommands(['ci', 'autofix'], step.ci.autofix);
  else if ('approve' in step) addAll(['approve'], step.approve, ['question']);
  else addAll(['end'], step.end, ['reason']);
  return sites;
}
