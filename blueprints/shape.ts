/**
 * Holds a blueprint's shape against the schema. A step is held only against the schema of its own action key, so that
 * one mistake gives one message; steps that are wrong keep their place and id, so that what refers to them doesn't fail too.
 */
import { z } from 'zod';
import type { KeyPath } from './issues.ts';
import type { Json } from './json.ts';
import { findNearest } from './nearest.ts';
import type { Report } from './report.ts';
import { Blueprint, EachStep, Identifier, type Step, type StepKind, stepKinds, stepSchemas } from './schema.ts';
import { describe, reportShape } from './shape-issues.ts';

/** A step as far as it could be read. */
export interface Outline {
  path: KeyPath;
  id?: string;
  kind?: StepKind;
  /** What is right of the step; undefined where that is no step. An `each` is without its inner steps. */
  step?: Step;
  inner: Outline[];
}

export interface Shape {
  /** The whole, where every part is right. */
  blueprint: Blueprint | undefined;
  outlines: Outline[];
  /** The inputs, where that section is right; undefined where it is not. */
  inputs: NonNullable<Blueprint['inputs']> | undefined;
}

/** Words that the language keeps for kinds of steps that this version lacks. */
const futureKinds = ['parallel', 'repeat', 'call', 'tool'];

const Steps = z.array(z.unknown()).min(1).max(200);
const Frame = Blueprint.extend({ steps: Steps });
const EachFrame = EachStep.omit({ do: true }).extend({ do: z.array(z.unknown()).min(1).max(32) });

export function checkShape(value: Json, report: Report): Shape {
  if (!isMap(value)) {
    report.add([], 'wrong-type', `a blueprint is a map of keys such as \`blueprint\`, \`name\` and \`steps\`, not ${describe(value)}`);
    return { blueprint: undefined, outlines: [], inputs: undefined };
  }
  const before = report.issues.length;
  const frame = Frame.safeParse(value);
  if (!frame.success) reportShape(report, [], Frame, value, frame.error.issues);
  const list = Array.isArray(value.steps) ? value.steps : [];
  const outlines = list.slice(0, 1000).map((step, index) => outline(step, ['steps', index], report));
  const inputs = Blueprint.shape.inputs.safeParse(value.inputs);
  const whole = frame.success && report.issues.length === before ? { ...frame.data, steps: outlines.flatMap(wholeSteps) } : undefined;
  return { blueprint: whole, outlines, inputs: inputs.success ? (inputs.data ?? {}) : undefined };
}

function wholeSteps(part: Outline): Step[] {
  if (!part.step) return [];
  return 'each' in part.step ? [{ ...part.step, do: part.inner.flatMap(wholeSteps) }] : [part.step];
}

function outline(value: Json, path: KeyPath, report: Report): Outline {
  const inner: Outline[] = [];
  if (!isMap(value)) {
    report.add(path, 'wrong-type', `a step is a map with one action key, not ${describe(value)}`);
    return { path, inner };
  }
  const id = Identifier.safeParse(value.id);
  const named: Outline = { path, inner, ...(id.success ? { id: id.data } : {}) };
  const kind = findKind(value, path, report);
  if (!kind) return named;
  const schema = kind === 'each' ? EachFrame : stepSchemas[kind];
  const parsed = schema.safeParse(value);
  if (!parsed.success) reportShape(report, path, schema, value, parsed.error.issues);
  if (kind === 'each' && Array.isArray(value.do)) inner.push(...value.do.slice(0, 1000).map((step, index) => outline(step, [...path, 'do', index], report)));
  const readable = parsed.success ? parsed : schema.safeParse(withoutWrong(value, parsed.error.issues));
  if (!readable.success) return { ...named, kind };
  return { ...named, kind, step: 'do' in readable.data ? { ...readable.data, do: [] } : readable.data };
}

/** What is right in a step can still be looked at, so that all of its problems are told at once. */
function withoutWrong(value: Record<string, Json>, issues: readonly z.core.$ZodIssue[]): Record<string, Json> {
  const wrong = new Set(issues.flatMap((issue) => (issue.path.length === 0 && issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])])));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)));
}

/** The step's one action key, or the one problem that its keys have. */
function findKind(value: Record<string, Json>, path: KeyPath, report: Report): StepKind | undefined {
  const [kind, second] = Object.keys(value).filter((key): key is StepKind => Object.hasOwn(stepSchemas, key));
  if (kind !== undefined && second !== undefined) {
    report.addKey([...path, second], 'step-with-many-actions', `a step has one action key; this one has \`${kind}\` and \`${second}\``);
    return undefined;
  }
  if (kind !== undefined) return kind;
  const future = futureKinds.find((key) => Object.hasOwn(value, key));
  if (future !== undefined) {
    report.addKey([...path, future], 'step-not-available', `\`${future}\` is a kind of step that this version does not have yet`);
    return undefined;
  }
  reportUnknownAction(value, path, report);
  return undefined;
}

function reportUnknownAction(value: Record<string, Json>, path: KeyPath, report: Report): void {
  const known = new Set(stepKinds.flatMap((kind) => Object.keys(stepSchemas[kind].shape)));
  const strange = Object.keys(value).filter((key) => !known.has(key));
  const misspelt = strange.find((key) => findNearest(key, stepKinds) !== undefined) ?? strange[0];
  if (misspelt === undefined) {
    report.add(path, 'step-without-action', 'a step has one action key; this one has none', `the kinds are ${stepKinds.join(', ')}`);
    return;
  }
  const nearest = findNearest(misspelt, stepKinds);
  const hint = nearest === undefined ? `the kinds are ${stepKinds.join(', ')}` : `did you mean \`${nearest}\`?`;
  report.addKey([...path, misspelt], 'unknown-step', `\`${misspelt}\` is not a kind of step`, hint);
}

function isMap(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
