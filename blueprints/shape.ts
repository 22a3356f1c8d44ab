/**
 * Checks a blueprint's shape against the schema. A step is checked only against the schema of its own action key, so
 * that one mistake gives one message. A wrong step keeps its place and id, so that references to it don't fail too.
 */
import { z } from 'zod';
import { type ExpressionSite, findExpressionSites } from './expression-sites.ts';
import type { KeyPath } from './issues.ts';
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import { blocks, forEachKind, futureKinds, isStepKind, kinds, type StepKind, stepKinds } from './kinds/kinds.ts';
import { findNearest } from './nearest.ts';
import { readShape } from './read-shape.ts';
import type { Report } from './report.ts';
import { Blueprint, Input, type Step, stepSchema } from './schema.ts';
import { describe } from './shape-issues.ts';
import { withChildren } from './steps.ts';
import { Identifier } from './values.ts';

/** A step as far as it could be read. */
export interface Outline {
  path: KeyPath;
  id?: string;
  kind?: StepKind;
  /** The correct part of the step; undefined if that is not a step. A block is without its inner steps. */
  step?: Step;
  sites: ExpressionSite[];
  /** The kind of block, if it has inner steps. If the kind is unclear, the one that it resembles. */
  block?: StepKind;
  /** The variable that inner steps can read. */
  variable?: string;
  inner: Outline[];
}

/** The inputs by name. A wrong one is undefined: only its name is known. */
export type KnownInputs = Record<string, Input | undefined>;

/** What could be read of a blueprint. */
export interface Shape {
  /** The whole blueprint, if every part is right. */
  blueprint: Blueprint | undefined;
  outlines: Outline[];
  /** Undefined if that section is not a map. */
  inputs: KnownInputs | undefined;
}

/** The most steps of a blueprint, with those inside of others. */
export const maxSteps = 1000;

const Frame = Blueprint.extend({ steps: z.array(z.unknown()).min(1).max(200) });

/** The schemas of steps, with anything as inner steps, since each of those is checked separately. */
const frames = forEachKind((kind) => stepSchema(kind, () => z.unknown()));

/** A step whose kind can't be told: it may have the keys of every kind. */
const UnclearStep = z
  .strictObject({
    ...Object.assign({}, ...stepKinds.map((kind) => kinds[kind].schema.shape)),
    ...Object.fromEntries(blocks.map(({ children }) => [children.key, z.unknown()])),
  })
  .partial();

/** Reads a blueprint's value and reports what is wrong with its shape. Never throws. */
export function checkShape(value: Json, report: Report): Shape {
  if (!isJsonMap(value)) {
    report.add(
      [],
      'wrong-type',
      `a blueprint is a map of keys such as \`blueprint\`, \`name\` and \`steps\`, not ${describe(value)}`,
    );
    return { blueprint: undefined, outlines: [], inputs: undefined };
  }
  const before = report.issues.length;
  const frame = readShape(Frame, value, [], report);
  const list = Array.isArray(frame.value.steps) ? frame.value.steps : [];
  const outlines = outlineAll(list, ['steps'], { report, left: maxSteps + 1 });
  const whole =
    frame.data && report.issues.length === before ? { ...frame.data, steps: outlines.flatMap(wholeSteps) } : undefined;
  return { blueprint: whole, outlines, inputs: knownInputs(frame.value.inputs) };
}

function knownInputs(section: Json = {}): KnownInputs | undefined {
  if (!isJsonMap(section)) return undefined;
  return Object.fromEntries(Object.entries(section).map(([name, input]) => [name, Input.safeParse(input).data]));
}

function wholeSteps(part: Outline): Step[] {
  if (!part.step) return [];
  return [part.block ? withChildren(part.step, part.inner.flatMap(wholeSteps)) : part.step];
}

/** What is read, and how many more steps are. The first step too many is read too, so that it can be reported. */
interface Reading {
  report: Report;
  left: number;
}

function outlineAll(steps: Json[], path: KeyPath, reading: Reading): Outline[] {
  const outlines: Outline[] = [];
  for (const [index, step] of steps.entries()) {
    if (reading.left === 0) break;
    reading.left -= 1;
    outlines.push(outline(step, [...path, index], reading));
  }
  return outlines;
}

function outline(written: Json, path: KeyPath, reading: Reading): Outline {
  const { report } = reading;
  if (!isJsonMap(written)) {
    report.add(path, 'wrong-type', `a step is a map with one action key, not ${describe(written)}`);
    return { path, sites: [], inner: [] };
  }
  const action = findAction(written, path, report);
  const { kind } = action;
  if (!kind) return outlineOf(readShape(UnclearStep, action.step, path, report).value, path, reading);
  const { value, data } = readShape(frames[kind], action.step, path, report);
  return { ...outlineOf(value, path, reading, kind), kind, ...(data && { step: withChildren(data, []) }) };
}

function outlineOf(value: JsonMap, path: KeyPath, reading: Reading, kind?: StepKind): Outline {
  const id = Identifier.safeParse(value.id);
  const sites = findExpressionSites(value, kind);
  const named: Outline = { path, sites, inner: [], ...(id.success ? { id: id.data } : {}) };
  const block = kind
    ? { kind, children: kinds[kind].children }
    : blocks.find(({ children }) => Array.isArray(value[children.key]));
  const children = block?.children;
  const steps = children && value[children.key];
  if (!children || !Array.isArray(steps)) return named;
  const inner = outlineAll(steps, [...path, children.key], reading);
  const variable = children.variable === undefined ? undefined : value[children.variable];
  return { ...named, inner, block: block.kind, ...(typeof variable === 'string' ? { variable } : {}) };
}

interface Action {
  kind?: StepKind;
  /** The step with its kind spelled correctly, or without the key that is not a kind. */
  step: JsonMap;
}

/** Finds a step's action key, and reports what is wrong about it. */
function findAction(step: JsonMap, path: KeyPath, report: Report): Action {
  const [kind, second] = Object.keys(step).filter(isStepKind);
  if (kind !== undefined && second !== undefined) {
    report.addKey(
      [...path, second],
      'step-with-many-actions',
      `a step has one action key; this one has \`${kind}\` and \`${second}\``,
    );
    return { step };
  }
  if (kind !== undefined) return { kind, step };
  const future = futureKinds.find((key) => Object.hasOwn(step, key));
  if (future !== undefined) {
    report.addKey([...path, future], 'step-not-available', `\`${future}\` is a kind of step for a later version`);
    return { step: without(step, future) };
  }
  return guessAction(step, path, report);
}

/** Guesses the key that was meant as the action: one that resembles a kind, else one that resembles no key at all. */
function guessAction(step: JsonMap, path: KeyPath, report: Report): Action {
  // If a word is equally close to both, it counts as the kind, since every step needs one.
  const known = new Set([...stepKinds, ...Object.keys(UnclearStep.shape)]);
  const strange = Object.keys(step)
    .filter((key) => !known.has(key))
    .slice(0, 100)
    .map((key) => ({ key, nearest: findNearest(key, known) }));
  const kinds = `the kinds are ${stepKinds.join(', ')}`;
  for (const { key, nearest } of strange) {
    if (nearest === undefined || !isStepKind(nearest)) continue;
    report.addMisspelt(path, { written: key, meant: nearest }, 'unknown-step', `\`${key}\` is not a kind of step`);
    return { kind: nearest, step: { ...without(step, key), [nearest]: step[key] ?? null } };
  }
  const foreign = strange.find(({ nearest }) => nearest === undefined);
  if (foreign) report.addKey([...path, foreign.key], 'unknown-step', `\`${foreign.key}\` is not a kind of step`, kinds);
  else report.add(path, 'step-without-action', 'a step has one action key; this one has none', kinds);
  return { step: foreign ? without(step, foreign.key) : step };
}

function without(map: JsonMap, key: string): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([each]) => each !== key));
}
