import { checkBlueprint } from '../../blueprints/check.ts';
import type { Issue } from '../../blueprints/issues.ts';

/** The issues of a text, each as `line:column code path`. */
export function issuesOf(text: string | Uint8Array): string[] {
  return checkBlueprint(text, { file: 'b.yaml' }).issues.map(summary);
}

export function summary({ line, column, code, path }: Issue): string {
  return `${line}:${column} ${code}${path === '' ? '' : ` ${path}`}`;
}

/** The issues of a blueprint with these steps; the first of them stands on line 4. */
export function stepIssues(steps: string, inputs = '{}'): Issue[] {
  return checkBlueprint(`blueprint: v1\nname: test\ninputs: ${inputs}\nsteps:\n${steps}\n`, { file: 'b.yaml' }).issues;
}

/** Code and message of the one issue that these steps have. */
export function onlyIssue(steps: string, inputs?: string): Issue {
  const issues = stepIssues(steps, inputs);
  const [first] = issues;
  if (!first || issues.length !== 1)
    throw new Error(`expected one issue, got ${issues.length}: ${issues.map(({ message }) => message).join('; ')}`);
  return first;
}
