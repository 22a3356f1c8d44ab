/**
 * Evaluates a CEL expression over JSON, within limits.
 *
 * The library that parses CEL has no limit on time or memory. Its quantifiers and logical operators catch every error,
 * so no limit can be enforced from outside. Walking its syntax tree here takes two hundred lines and enforces every
 * limit: on the work, on sizes, and on which outputs may be read at all. Apart from the limits, values are those of CEL's
 * own conformance tests.
 */
import { type CelNode, ExpressionFailed, macros } from './cel-parse.ts';
import { functionTable, methodTable } from './cel-functions.ts';
import { binary, fail, negate } from './cel-operators.ts';
import { type CelKey, type CelValue, type Doubles, doublesAt, fromJson, Meter, toKey, typeName } from './cel-values.ts';
import { isJsonMap, type Json } from '../base/json.ts';

export interface EvaluateOptions {
  /** Dotted paths of outputs that were cut, such as `steps.survey.stdout`. Reading one fails. */
  cut?: ReadonlySet<string> | undefined;
  /** The places in the variables that hold doubles even where their numbers are whole. */
  doubles?: Doubles | undefined;
}

/** What an error that is passed over costs, since making one takes as long as many other nodes. */
const errorCost = 100;

export type Variables = Readonly<Record<string, Json>>;

/**
 * What a chain such as `steps.survey.stdout` has reached: a place in the variables, or a value that the expression made.
 */
type Place = { path: string; json: Json; doubles: Doubles | undefined } | { path?: never; value: CelValue };

/** One evaluation of an expression, with its own meter. */
export class Evaluation {
  readonly meter: Meter;
  private readonly locals: Map<string, CelValue>;
  private readonly variables: Variables;
  private readonly cut: ReadonlySet<string>;
  private readonly doubles: Doubles | undefined;

  /** `locals` are variables that hold values already. */
  constructor(
    variables: Variables,
    options: EvaluateOptions = {},
    locals: ReadonlyMap<string, CelValue> = new Map(),
    meter: Meter = new Meter(),
  ) {
    this.meter = meter;
    this.variables = variables;
    this.locals = new Map(locals);
    this.cut = options.cut ?? new Set();
    this.doubles = options.doubles;
  }

  /** @throws ExpressionFailed */
  evaluate(node: CelNode): CelValue {
    this.meter.spend(1);
    switch (node.op) {
      case 'value':
        return literal(node);
      case 'id':
      case '.':
      case '[]':
        return this.read(node);
      case 'list':
        return node.args.map((item) => this.evaluate(item));
      case 'map':
        return this.map(node);
      case '?:':
        return this.evaluate(this.truth(node.args[0]) ? node.args[1] : node.args[2]);
      case '&&':
        return this.decide(node.args, (side) => this.truth(side), false);
      case '||':
        return this.decide(node.args, (side) => this.truth(side), true);
      case '!_':
        return !this.truth(node.args);
      case '-_':
        return negate(this.evaluate(node.args), node);
      case 'call':
        return this.call(node);
      case 'rcall':
        return macros.has(node.args[0]) ? this.macro(node) : this.method(node);
      case '.?':
      case '[?]':
        return fail(node, 'optional access is not part of this language');
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
      case 'in':
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        break;
    }
    return binary(node, this.evaluate(node.args[0]), this.evaluate(node.args[1]), this.meter);
  }

  private truth(node: CelNode): boolean {
    const value = this.evaluate(node);
    return typeof value === 'boolean' ? value : fail(node, `a condition must be a bool, not ${typeName(value)}`);
  }

  /**
   * Whether a condition is the deciding value for any of the items; the other value if it is for none. As CEL wants it,
   * an error counts only if no item decides. An error that is a limit always counts.
   */
  private decide<T>(items: readonly T[], condition: (item: T) => boolean, deciding: boolean): boolean {
    let failed: ExpressionFailed | undefined;
    for (const item of items) {
      try {
        if (condition(item) === deciding) return deciding;
      } catch (error) {
        if (!(error instanceof ExpressionFailed) || error.code !== 'expression-failed') throw error;
        this.meter.spend(errorCost);
        failed ??= error;
      }
    }
    if (failed) throw failed;
    return !deciding;
  }

  private map(node: CelNode & { op: 'map' }): CelValue {
    const map = new Map<CelKey, CelValue>();
    for (const [keyNode, valueNode] of node.args) {
      const key = this.evaluate(keyNode);
      if (typeof key !== 'string' && typeof key !== 'bigint' && typeof key !== 'boolean')
        return fail(keyNode, `a key of a map must be a string, an int or a bool, not ${typeName(key)}`);
      if (map.has(key)) return fail(keyNode, `the map has the key \`${key}\` twice`);
      map.set(key, this.evaluate(valueNode));
    }
    return map;
  }

  private read(node: CelNode): CelValue {
    const place = this.locate(node);
    if (place.path === undefined) return place.value;
    for (const path of this.cut) if (path.startsWith(`${place.path}.`)) throw wasCut(path, node);
    return fromJson(place.json, this.meter, place.doubles);
  }

  private locate(node: CelNode): Place {
    if (node.op === 'id') {
      const local = this.locals.get(node.args);
      if (local !== undefined) return { value: local };
      if (!Object.hasOwn(this.variables, node.args)) fail(node, `\`${node.args}\` is unknown here`);
      const doubles = doublesAt(this.doubles, node.args);
      return this.at({ path: node.args, json: this.variables[node.args] ?? null, doubles }, node);
    }
    if (node.op !== '.' && node.op !== '[]') return { value: this.evaluate(node) };
    const base = this.locate(node.args[0]);
    const key = node.op === '.' ? node.args[1] : this.evaluate(node.args[1]);
    const found = this.member(base, key, node);
    return found ?? fail(node, missing(base, key));
  }

  /** The member of a place; undefined if there is none. */
  private member(base: Place, key: CelValue, node: CelNode): Place | undefined {
    this.meter.spend(1);
    if (base.path === undefined) return this.memberOf(base.value, key, node);
    const { json, path } = base;
    const name = toKey(key);
    if (Array.isArray(json) && typeof name === 'bigint') {
      if (!inside(json, name)) return undefined;
      const doubles = doublesAt(base.doubles, '*');
      return this.at({ path: `${path}.${name}`, json: json[Number(name)] ?? null, doubles }, node);
    }
    if (isJsonMap(json) && name !== undefined) {
      if (typeof name !== 'string' || !Object.hasOwn(json, name)) return undefined;
      return this.at(
        { path: `${path}.${name}`, json: json[name] ?? null, doubles: doublesAt(base.doubles, name) },
        node,
      );
    }
    return fail(node, `\`${path}\` has no member of type ${typeName(key)}`);
  }

  private memberOf(value: CelValue, key: CelValue, node: CelNode): Place | undefined {
    const name = toKey(key);
    if (value instanceof Map && name !== undefined)
      return value.has(name) ? { value: value.get(name) ?? null } : undefined;
    if (Array.isArray(value) && typeof name === 'bigint')
      return inside(value, name) ? { value: value[Number(name)] ?? null } : undefined;
    return fail(node, `${typeName(value)} has no member of type ${typeName(key)}`);
  }

  private at(place: Place & { path: string }, node: CelNode): Place {
    if (this.cut.has(place.path)) throw wasCut(place.path, node);
    return place;
  }

  private call(node: CelNode & { op: 'call' }): CelValue {
    const [name, args] = node.args;
    const [argument] = args;
    if (!argument) return fail(node, `\`${name}()\` takes an argument`);
    if (name === 'has') return this.has(argument);
    return this.apply(functionTable, name, argument, [], node);
  }

  private method(node: CelNode & { op: 'rcall' }): CelValue {
    const [name, target, args] = node.args;
    return this.apply(methodTable, name, target, args, node);
  }

  private apply(table: typeof methodTable, name: string, target: CelNode, args: CelNode[], node: CelNode): CelValue {
    const apply = table.get(name) ?? fail(node, `\`${name}()\` is not a function of this language`);
    const values = [target, ...args].map((item) => this.evaluate(item));
    try {
      return apply(values[0] ?? null, values.slice(1), this.meter);
    } catch (error) {
      // The table of functions doesn't know positions, so the error gets this node's.
      if (error instanceof ExpressionFailed && error.code === 'expression-failed') fail(node, error.message);
      throw error;
    }
  }

  private has(node: CelNode): boolean {
    if (node.op !== '.') return fail(node, 'has() takes a member, such as has(steps.survey.value)');
    const base = this.locate(node.args[0]);
    const open = base.path === undefined || !this.cut.has(`${base.path}.${node.args[1]}`);
    return !open || this.member(base, node.args[1], node) !== undefined;
  }

  private macro(node: CelNode & { op: 'rcall' }): CelValue {
    const [name, target, args] = node.args;
    const [variable, first, second] = args;
    if (variable?.op !== 'id' || !first) return fail(node, `\`${name}()\` takes a variable and an expression`);
    const items = this.items(target);
    const each = <T>(item: CelValue, run: () => T): T => this.withLocal(variable.args, item, run);
    const holds = (item: CelValue): boolean => each(item, () => this.truth(first));
    switch (name) {
      case 'map':
        if (!second) return items.map((item) => each(item, () => this.evaluate(first)));
        return items.filter(holds).map((item) => each(item, () => this.evaluate(second)));
      case 'filter':
        return items.filter(holds);
      case 'exists':
        return this.decide(items, holds, true);
      case 'exists_one':
        return items.filter(holds).length === 1;
      default:
        return this.decide(items, holds, false);
    }
  }

  private items(node: CelNode): CelValue[] {
    const value = this.evaluate(node);
    if (value instanceof Map) return [...value.keys()];
    return Array.isArray(value)
      ? value
      : fail(node, `only a list or a map has elements to go through, not ${typeName(value)}`);
  }

  private withLocal<T>(name: string, value: CelValue, run: () => T): T {
    const outer = this.locals.get(name);
    this.locals.set(name, value);
    try {
      return run();
    } finally {
      if (outer === undefined) this.locals.delete(name);
      else this.locals.set(name, outer);
    }
  }
}

function inside(list: readonly unknown[], index: bigint): boolean {
  return index >= 0n && index < BigInt(list.length);
}

function wasCut(path: string, node: CelNode): ExpressionFailed {
  return new ExpressionFailed(
    'output-was-cut',
    `\`${path}\` was cut off, so it can't be used for a decision`,
    node.range,
  );
}

function missing(base: Place, key: CelValue): string {
  const name = toKey(key) ?? typeName(key);
  if (base.path === undefined) return `the value has no member \`${name}\``;
  const json = base.json;
  if (
    /^steps\.[^.]+$/.test(base.path) &&
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    json.outcome === 'skipped'
  ) {
    return `\`${base.path}\` was skipped, so it has no \`${name}\`; check \`${base.path}.outcome\` first`;
  }
  return `\`${base.path}\` has no member \`${name}\``;
}

function literal(node: CelNode & { op: 'value' }): CelValue {
  const value = node.args;
  if (value === null || typeof value !== 'object') return value;
  return fail(node, 'bytes and unsigned integers are not part of this language');
}
