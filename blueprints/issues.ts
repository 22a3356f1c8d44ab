/** What is wrong with a blueprint, and where. */
import { type ErrorCode, JigError } from '../base/errors.ts';

/** A problem in a blueprint, with its code, its message and its place. */
export interface Issue {
  code: ErrorCode;
  message: string;
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  endLine?: number;
  endColumn?: number;
  /** Where in the blueprint, such as `steps[2].run`; empty for the text as a whole. */
  path: string;
  hint?: string;
  /** A blueprint with warnings alone can run. */
  level?: 'warning';
}

/** A blueprint with problems. `issues` lists all of them. */
export class BlueprintInvalid extends JigError {
  override name = 'BlueprintInvalid';
  readonly issues: Issue[];
  constructor(issues: Issue[]) {
    const [first] = issues;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    super(
      'blueprint-invalid',
      first ? `${first.file}:${first.line}:${first.column}: ${first.message}${more}` : 'the blueprint is invalid',
    );
    this.issues = issues;
  }
}

/** The keys and indexes from the top of the blueprint to a place. */
export type KeyPath = readonly (string | number)[];

/** `steps[2].run` */
export function pathText(path: KeyPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}
