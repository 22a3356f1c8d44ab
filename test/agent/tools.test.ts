import assert from 'node:assert/strict';
import { test } from 'vitest';
import { maxArgumentsChars, parseToolCall, toolDefinitions } from '../../agent/tools.ts';
import { agentTools, type AgentTool } from '../../blueprints/kinds/agent.ts';

const allowed: AgentTool[] = ['read', 'edit'];

function parse(name: string, text: string) {
  return parseToolCall({ id: 'c', name, arguments: text }, allowed);
}

for (const [title, name, text, error] of [
  ['an unknown tool', 'fly', '{}', /There is no tool called "fly". The tools are: read, edit/],
  ['a tool that this step does not have', 'shell', '{"command":"ls"}', /The tools are: read, edit/],
  ['a tool named like an object property', 'constructor', '{}', /no tool/],
  ['invalid JSON', 'read', '{"path": ', /not JSON.*Example: \{"path": "the path of the file"\}/],
  ['a wrong type', 'read', '{"path": 5}', /path: .*expected string/],
  ['a missing argument', 'edit', '{"path": "a", "old": "b"}', /new: /],
  ['an unknown argument', 'read', '{"path": "a", "lines": 3}', /lines/],
  ['a list for arguments', 'read', '[]', /arguments: .*expected object/],
  [
    'over 256 KB of arguments',
    'edit',
    `{"path":"a","old":"b","new":"${'x'.repeat(maxArgumentsChars)}"}`,
    /refused. Do it in smaller pieces/,
  ],
] as const) {
  test(`${title} is answered with what to do instead`, () => {
    const parsed = parse(name, text);
    assert('error' in parsed);
    assert.match(parsed.error, error);
    assert(parsed.error.length < 2500);
  });
}

test('a raw line break inside a string is accepted', () => {
  assert.deepEqual(parse('edit', '{"path": "a", "old": "x\ny", "new": "\\"z\\"\n"}'), {
    call: { tool: 'edit', arguments: { path: 'a', old: 'x\ny', new: '"z"\n' } },
  });
});

test("every tool's example has the form of a call, and is refused as one", () => {
  for (const { name, description } of toolDefinitions(agentTools)) {
    const examples = [...description.matchAll(/\{".*?\}(?= or|$)/g)].map(([example]) => example);
    assert(examples.length > 0, name);
    for (const example of examples) {
      const parsed = parseToolCall({ id: '', name, arguments: example }, agentTools);
      assert.match('error' in parsed ? parsed.error : '', /comes from the example/, example);
    }
  }
});

test('a call that holds the words of an example among others is refused, and one that only speaks of them is not', () => {
  const copied = parse('edit', '{"path": "a.txt", "old": "x", "new": "x\\n  the line that is added after it\\n"}');
  assert.match('error' in copied ? copied.error : '', /"the line that is added after it" comes from the example/);
  assert('call' in parse('edit', '{"path": "a.txt", "old": "x", "new": "Say the path of the file that you read."}'));
});

test('a call that gives the description of an argument as the argument is refused', () => {
  const copied = parse('read', '{"path": "Path of the file, relative to the repository"}');
  assert.match('error' in copied ? copied.error : '', /comes from the example/);
});

for (const written of [
  'functions.read',
  'read<|channel|>commentary',
  'read<|constrain|>json',
  'functions.read:0',
  '<|tool|>read',
  ' Read ',
  'default_api:read',
  'tools/read',
])
  test(`${JSON.stringify(written)} means read`, () => assert('call' in parse(written, '{"path": "a"}')));

for (const written of ['reads', 'read.file', 'thread', '', '.', 'functions.shell'])
  test(`${JSON.stringify(written)} means no tool of this step`, () =>
    assert('error' in parse(written, '{"path": "a"}')));

test('definitions are JSON Schemas, in the requested order', () => {
  const [edit, read] = toolDefinitions(['edit', 'read']);
  assert.deepEqual([edit?.name, read?.name], ['edit', 'read']);
  assert.deepEqual(edit?.parameters.required, ['path', 'old', 'new']);
  assert.equal(edit?.parameters.$schema, undefined);
});
