/** Generates the reference in docs/ from the definitions, so that the two always agree. */
import { z } from 'zod';
import { functionNames, methodNames } from './cel-parse.ts';
import { defaults } from '../base/defaults.ts';
import { type ErrorPage, errorPages } from '../base/errors.ts';
import { blueprintJsonSchema } from './json-schema.ts';
import { kinds, type StepKind, stepKinds } from './kinds/kinds.ts';
import { roots } from './outputs.ts';

const generatedFrom = (folder: string): string =>
  `<!-- Made by \`npm run docs\` from ${folder}/. Changes here are overwritten. -->\n`;

/** Every generated file, by its path from the repository's root. */
export function referenceFiles(): Map<string, string> {
  const pages = Object.entries<ErrorPage>(errorPages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const schema = blueprintJsonSchema();
  return new Map([
    ['docs/reference/blueprint.md', referencePage(SchemaNode.parse(schema))],
    ['docs/reference/blueprint.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['docs/errors/README.md', errorIndex(pages)],
    ...pages.map(([code, page]): [string, string] => [`docs/errors/${code}.md`, errorPage(code, page)]),
  ]);
}

function errorPage(code: string, { title, why, fix }: ErrorPage): string {
  return `${generatedFrom('base')}# ${title}\n\n\`${code}\`\n\n**Why.** ${why}\n\n**What to do.** ${fix}\n`;
}

function errorIndex(pages: [string, ErrorPage][]): string {
  const rows = pages.map(([code, { title }]) => `| [\`${code}\`](${code}.md) | ${title} |`);
  return `${generatedFrom('base')}# Errors\n\nEvery failure has a code that never changes its meaning.\n\n| Code | What it is |\n|---|---|\n${rows.join('\n')}\n`;
}

/** The part of JSON Schema that the reference shows. */
interface SchemaNode {
  title?: string | undefined;
  description?: string | undefined;
  type?: string | undefined;
  const?: string | undefined;
  enum?: string[] | undefined;
  pattern?: string | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
  required?: string[] | undefined;
  anyOf?: SchemaNode[] | undefined;
  items?: SchemaNode | undefined;
  properties?: Record<string, SchemaNode> | undefined;
  additionalProperties?: SchemaNode | boolean | undefined;
  definitions?: Record<string, SchemaNode> | undefined;
}

const SchemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    title: z.string().optional(),
    description: z.string().optional(),
    type: z.string().optional(),
    const: z.string().optional(),
    enum: z.array(z.string()).optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    required: z.array(z.string()).optional(),
    anyOf: z.array(SchemaNode).optional(),
    items: SchemaNode.optional(),
    properties: z.record(z.string(), SchemaNode).optional(),
    additionalProperties: z.union([z.boolean(), SchemaNode]).optional(),
    definitions: z.record(z.string(), SchemaNode).optional(),
  }),
);

function referencePage(schema: SchemaNode): string {
  const kinds = schema.definitions?.Step?.anyOf ?? [];
  const common = commonKeys(kinds);
  const steps = stepKinds.map((kind) =>
    stepSection(kind, kinds.find(({ title }) => title === `${kind} step`) ?? {}, common),
  );
  const first = kinds[0] ?? {};
  const commonNode = {
    ...first,
    properties: Object.fromEntries(Object.entries(first.properties ?? {}).filter(([key]) => common.includes(key))),
  };
  return (
    [
      `${generatedFrom('blueprints')}# The blueprint language, v1`,
      'A blueprint is one YAML document of at most 256 KB, without anchors, aliases and tags: a lone file, or the `blueprint.yaml` of a folder that holds [its programs too](../how-to/write-a-blueprint-for-others.md#programs-beside-the-blueprint). Keys that are not listed here are errors.\nEditors complete and check it with `# yaml-language-server: $schema=blueprint.schema.json` as its first line ([the schema](blueprint.schema.json)).',
      `## Top level\n\n${keyTable(schema)}`,
      `## Steps\n\nA step has exactly one action key: ${stepKinds.map((kind) => `[\`${kind}\`](#${kind})`).join(', ')}. Steps run in the order of the text. Every kind knows these keys, except those that its section names as not here:\n\n${keyTable(commonNode)}\n\nOf these, \`if\` is an expression and the values of \`env\` are templates. A command that is a text can hold no \`\${{ }}\`; in one that is a list, each word is a template. \`sandbox.setup\` and \`sandbox.env\` are not evaluated.`,
      shellSection,
      ...steps,
      expressionSection(),
      `## Defaults\n\nDurations are in milliseconds, sizes in bytes.\n\n| Setting | Default |\n|---|---|\n${defaultRows(defaults, '').join('\n')}`,
    ].join('\n\n') + '\n'
  );
}

const shellSection =
  'A command that is a text is a script for `sh -e`: a POSIX shell, which has no extensions of bash such as `[[` and `source`, and which ends at the first command that fails. Of a pipe, only the last command counts, so `false | true` succeeds. A command that is a list runs without a shell. For bash, write `[ bash, -euo, pipefail, -c, "…" ]`.';

/** The keys that all kinds have. */
function commonKeys(kinds: SchemaNode[]): string[] {
  const [first, ...rest] = kinds.map(({ properties }) => Object.keys(properties ?? {}));
  return (first ?? []).filter((key) => rest.every((keys) => keys.includes(key)));
}

function stepSection(kind: StepKind, node: SchemaNode, common: string[]): string {
  const properties = Object.fromEntries(Object.entries(node.properties ?? {}).filter(([key]) => !common.includes(key)));
  const rows = Object.entries(kinds[kind].outputs).map(
    ([name, { type, description }]) => `| \`${name}\` | \`${type}\` | ${description} |`,
  );
  const table =
    rows.length > 0 ? `| Output | Type | What it is |\n|---|---|---|\n${rows.join('\n')}` : 'It has no outputs.';
  return [`### ${kind}`, keyTable({ ...node, properties }), ...evaluatedText(kind), table].join('\n\n');
}

/** What of a step is evaluated, and which of the common keys it doesn't take. */
function evaluatedText(kind: StepKind): string[] {
  const { evaluated, withoutEffect = [] } = kinds[kind];
  const paths = (wanted: string[]): string[] =>
    evaluated
      .filter(({ is }) => wanted.includes(is))
      .map(({ key, inner }) => `\`${inner === undefined ? key : `${key}.${inner}`}\``);
  const templates = paths(['template', 'templates', 'list']);
  const commands = paths(['command', 'commands']);
  const sentences = [
    ...(templates.length > 0 ? [`Templates: ${templates.join(', ')}.`] : []),
    ...(commands.length > 0 ? [`Commands: ${commands.join(', ')}.`] : []),
    ...(withoutEffect.length > 0 ? [`Not here: ${withoutEffect.map((key) => `\`${key}\``).join(', ')}.`] : []),
  ];
  return sentences.length > 0 ? [sentences.join(' ')] : [];
}

function expressionSection(): string {
  const rows = Object.entries(roots).flatMap(([root, fields]) =>
    Object.entries(fields).map(
      ([field, type]) =>
        `| \`${root}.${field}\` | \`${type}\`${root === 'evidence' ? '; only in `change.body`' : ''} |`,
    ),
  );
  return `## Expressions

Expressions are CEL: bare in \`if\`, inside \`\${{ }}\` in the texts that are templates, and nowhere else. A template that is exactly one
\`\${{ }}\` gives the value itself; in a longer text, lists and maps become JSON. What an expression gives is never evaluated again.
Values are those of CEL's conformance cases: an error on one side of \`&&\` or \`||\` counts only if the other side does not decide.
A number from JSON is an \`int\` if it is whole, but a \`double\` where an input or the schema of an answer says \`number\`.
References, types and syntax are checked before a run starts, and so are parts that would fail in every run, such as a division by zero.

| Name | Type |
|---|---|
| \`inputs.NAME\` | as declared |
| \`steps.ID.OUTPUT\` | as in the tables above; of a step that was skipped, only \`outcome\`; of one that failed while the run goes on, what is known, else the empty value of its type (\`0\`, \`''\`, \`[]\`, \`false\`, \`null\`) |
${rows.join('\n')}

\`blueprint.path\` is the folder of the files beside \`blueprint.yaml\`, as the sandbox has it, for reading only. In a shell it is \`$JIG_BLUEPRINT\`.

Functions: ${functionNames.map((name) => `\`${name}(…)\``).join(', ')}. Methods: ${methodNames.map((name) => `\`.${name}(…)\``).join(', ')}.`;
}

function keyTable(node: SchemaNode): string {
  return `| Key | Value | What it is |\n|---|---|---|\n${keyRows(node, '').join('\n')}`;
}

function keyRows(node: SchemaNode, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const name = node.required?.includes(key) ? `**\`${path}\`**` : `\`${path}\``;
    const row = `| ${name} | ${valueText(value)} | ${(value.description ?? '').replaceAll('|', '\\|')} |`;
    const named =
      typeof value.additionalProperties === 'object' ? keyRows(value.additionalProperties, `${path}.NAME.`) : [];
    return [row, ...keyRows(value, `${path}.`), ...named];
  });
}

function valueText(node: SchemaNode): string {
  if (node.const !== undefined) return `\`${node.const}\``;
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.anyOf) return [...new Set(node.anyOf.map(valueText))].join(' or ');
  if (node.pattern?.endsWith('(ms|s|m|h)$')) return 'duration';
  if (node.type === 'array') return listText(node.items ? valueText(node.items) : 'anything');
  if (node.type === 'integer') return 'whole number';
  if (node.type === 'object') return 'map';
  return node.type === 'boolean' ? '`true` or `false`' : (node.type ?? 'step');
}

function listText(item: string): string {
  return item.includes(' or ') ? `list of (${item})` : `list of ${item}`;
}

function defaultRows(value: unknown, path: string): string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => defaultRows(inner, path === '' ? key : `${path}.${key}`));
  }
  return [
    `| ${path} | ${Array.isArray(value) ? value.map((item) => `\`${String(item)}\``).join(', ') : `\`${String(value)}\``} |`,
  ];
}
