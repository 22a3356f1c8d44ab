/** Makes the page of the presets from their table. */
import { commonDialect, type Dialect } from '../model/dialect.ts';
import { presets, type Preset } from '../model/presets.ts';

export function modelPresetsPage(): string {
  const rows = Object.entries(presets).map(([name, preset]) => row(name, preset));
  return `<!-- Made by \`npm run docs\` from model/presets.ts. Changes here are overwritten. -->
# Presets of model servers

A preset says what is known of a server, so that Jig doesn't have to find it out. Choose one with \`JIG_MODEL_PRESET\` or \`model.preset\`. Where the address below has a name of its own, Jig also knows the server by its address. Any other server works without a preset.

| Preset | Server | Address | Answers by a schema | Limit of an answer | Note | Source |
|---|---|---|---|---|---|---|
${rows.join('\n')}

A schema that a server can't be given as \`json_schema\` or \`json_object\` is still in the question's text, and Jig checks each answer against it.

## What Jig finds out

If a server refuses a request with an error that names something below, Jig asks again at once without it. It remembers that for this model until the worker ends.

| Named in the error | Then |
|---|---|
| \`response_format\`, a JSON Schema or a grammar | \`json_schema\`, then \`json_object\`, then text alone |
| \`max_tokens\`, \`max_completion_tokens\` | the other name, then no limit |
| \`stream_options\` | no usage in streams; tokens are estimated if the server counts none |
| \`stream\` | the whole answer at once |
| \`temperature\` | the server's own |
| single or parallel tool calls | one call in each message, with \`parallel_tool_calls: false\` |
| the order of roles | the model speaks between a tool's result and a user |
| tools | they are offered as constrained JSON, if the protocol is \`auto\` |
| the system role | the system prompt begins the first user message |
| a field of an earlier answer, such as \`reasoning_content\` | that field doesn't go back |
`;
}

function row(name: string, { server, baseUrl, dialect, note, source }: Preset): string {
  const { answerFormats, answerLimits }: Dialect = { ...commonDialect, ...dialect };
  const first = (list: readonly string[]): string => (list[0] === undefined ? 'none' : `\`${list[0]}\``);
  const address = baseUrl === undefined ? 'your own' : `\`${baseUrl}\``;
  const cells = [`\`${name}\``, server, address, first(answerFormats), first(answerLimits), note, `[page](${source})`];
  return `| ${cells.join(' | ')} |`;
}
