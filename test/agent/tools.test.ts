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
  ['invalid JSON', 'read', '{"path": ', /not JSON.*Example: \{"path": "lib\/server.py"\}/],
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

test("every tool's example fits its own schema, and no description holds a placeholder", () => {
  for (const { name, description } of toolDefinitions(agentTools)) {
    const examples = [...description.matchAll(/\{".*?\}(?= or|$)/g)].map(([example]) => example);
    assert(examples.length > 0, name);
    for (const example of examples)
      assert('call' in parseToolCall({ id: '', name, arguments: example }, agentTools), example);
    assert.doesNotMatch(description, /path\/to|foo|bar\b|<[a-z]+>|your[_ -]|example\.txt|\.\.\./i);
  }
});

test('definitions are JSON Schemas, in the requested order', () => {
  const [edit, read] = toolDefinitions(['edit', 'read']);
  assert.deepEqual([edit?.name, read?.name], ['edit', 'read']);
  assert.deepEqual(edit?.parameters.required, ['path', 'old', 'new']);
  assert.equal(edit?.parameters.$schema, undefined);
});
