/** Makes the page of an installation's configuration from its schema. */
import { z } from 'zod';
import { Config } from '../worker/config.ts';

/** The part of JSON Schema that the page shows. */
interface Node {
  description?: string | undefined;
  type?: string | undefined;
  enum?: string[] | undefined;
  default?: unknown;
  minimum?: number | undefined;
  maximum?: number | undefined;
  items?: Node | undefined;
  properties?: Record<string, Node> | undefined;
  additionalProperties?: Node | boolean | undefined;
  const?: string | undefined;
  oneOf?: Node[] | undefined;
}

const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    description: z.string().optional(),
    type: z.string().optional(),
    enum: z.array(z.string()).optional(),
    default: z.json().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    items: Node.optional(),
    properties: z.record(z.string(), Node).optional(),
    additionalProperties: z.union([z.boolean(), Node]).optional(),
    const: z.string().optional(),
    oneOf: z.array(Node).optional(),
  }),
);

export function configurationPage(): string {
  const keys = rows(Node.parse(z.toJSONSchema(Config, { io: 'input' })), '');
  const lists = keys.filter(({ node }) => Array.isArray(node.default) && node.default.length > 0);
  return `<!-- Made by \`npm run docs\` from worker/config.ts. Changes here are overwritten. -->
# Configuration

A YAML file for \`jig up\`, \`jig demo\` and \`jig worker\`, given with \`--config FILE\`. Each key has a default or may be left out, so no file is needed. Unknown keys are errors. Durations are in milliseconds, sizes in bytes.

| Key | Value | Default | What it is |
|---|---|---|---|
${keys.map(({ path, node }) => `| \`${path}\` | ${valueText(node)} | ${defaultText(node.default)} | ${node.description ?? ''} |`).join('\n')}

${lists
  .map(
    ({ path, node }) =>
      `## Default of \`${path}\`\n\n${JSON.stringify(node.default)
        .slice(1, -1)
        .split(',')
        .map((item) => `\`${item.slice(1, -1)}\``)
        .join(', ')}`,
  )
  .join('\n\n')}
`;
}

/** The keys that hold a value. `NAME` stands for a name that the user chooses. */
function rows(node: Node, path: string): { path: string; node: Node }[] {
  if (node.oneOf) return node.oneOf.flatMap((each) => rows(each, path));
  const named = typeof node.additionalProperties === 'object' ? { NAME: node.additionalProperties } : {};
  const inner = Object.entries({ ...node.properties, ...named });
  // A section's own default is not shown, since its keys have theirs.
  const isSection = node.properties !== undefined && JSON.stringify(node.default) === '{}';
  if (inner.length === 0 || (node.default !== undefined && path.includes('.') && !isSection)) return [{ path, node }];
  return inner.flatMap(([key, value]) => rows(value, path ? `${path}.${key}` : key));
}

function valueText({ type, enum: values, const: only, minimum, maximum, items }: Node): string {
  if (only !== undefined) return `\`${only}\``;
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'array') return `list of ${items?.type ?? 'anything'}`;
  if (type !== 'integer' && type !== 'number') return type === 'object' ? 'map' : (type ?? 'anything');
  const upper = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : '';
  const lower = minimum === undefined ? '' : `, from ${minimum}`;
  return `${type === 'integer' ? 'whole number' : 'number'}${lower}${upper}`;
}

function defaultText(value: unknown): string {
  if (value === undefined) return '';
  return Array.isArray(value) && value.length > 0
    ? 'below'
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
