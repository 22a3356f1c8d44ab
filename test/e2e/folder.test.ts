import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { defaults } from '../../base/defaults.ts';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import { hashBlueprint } from '../../blueprints/pin.ts';
import { createClient } from '../../client/client.ts';
import { readBlueprintFolder } from '../../client/read-blueprint.ts';
import type { StepRow } from '../../workflows/messages.ts';
import { createWorld, type World, type WrittenBlueprint } from './harness.ts';

const overwrite = 'echo "exit 0" >"$JIG_BLUEPRINT/check.sh"; rm -rf "$JIG_BLUEPRINT"; mv "$JIG_BLUEPRINT" gone; true';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await createWorld({
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, calls: [{ tool: 'shell', arguments: { command: overwrite } }] },
        { step: 'fix', turn: 2, text: 'The check can only pass now.' },
        {
          step: 'fix',
          turn: 3,
          contains: 'x must be two',
          calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 2' } }],
        },
        { step: 'fix', turn: 4, text: 'x is two.' },
      ],
    },
    config: { runs: { continueAfterEvents: 60, humanWaitMs: 60_000 } },
  });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
  folder = await mkdtemp(join(tmpdir(), 'jig-blueprint-'));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const programs = {
  'tools/set.py':
    'import sys\nimport value\nopen(sys.argv[1], "w").write("x = %s\\n" % value.value)\nprint(value.value)\n',
  'tools/value.py': 'value = 5\n',
};

async function writeBlueprint(files: Record<string, string>): Promise<void> {
  await rm(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
  }
}

async function readWritten(): Promise<WrittenBlueprint> {
  const { bytes, files, problems } = await readBlueprintFolder(folder);
  assert.deepEqual(problems, []);
  return { text: Buffer.from(bytes).toString(), files };
}

const outcomes = (steps: StepRow[]): string[][] => steps.map(({ path, state }) => [path, state]);

test('the programs of a folder run in the workspace, and a run keeps the ones that it was started with', async () => {
  const text = `
blueprint: v1
name: programs
steps:
  - id: first
    run: [ python3, "\${{ blueprint.path }}/tools/set.py", app.py ]
  - approve: { question: Go on? }
  - id: second
    run: cd / && python3 "$JIG_BLUEPRINT/tools/set.py" "$OLDPWD/app.py" && cat "$JIG_BLUEPRINT/tools/value.py"
  - check: [ test "$(cat app.py)" = "x = 5" ]
  - end: { outcome: succeeded, reason: "\${{ steps.first.stdout }} \${{ steps.second.stdout }}" }
`;
  await writeBlueprint({ ...programs, 'blueprint.yaml': text });
  const runId = await world.start(await readWritten());
  await world.until(runId, ({ questions }) => questions.length > 0);
  await writeBlueprint({ ...programs, 'blueprint.yaml': text, 'tools/value.py': 'value = 6\n' });
  await world.client.approve(runId, { by: 'ada' });
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['succeeded', '5 5\nvalue = 5'], end.reason);
  const { sha256 } = (await world.client.describe(runId)).blueprint;
  const { text: same, files } = await readWritten();
  assert.notEqual(hashBlueprint(same, files), sha256);
});

test('an agent can’t change the program that checks it, and the clean checkout has it too', async () => {
  await writeBlueprint({
    'check.sh': '#!/bin/sh\ngrep -q "x = 2" app.py || { echo x must be two; exit 1; }\n',
    'blueprint.yaml': `
blueprint: v1
name: checked
steps:
  - id: fix
    agent: { task: Make the check pass, tools: [ shell, edit ], turns: 10 }
    verify: [ '"$JIG_BLUEPRINT/check.sh"', [ "\${{ blueprint.path }}/check.sh" ] ]
    attempts: 2
  - change: { title: Make x two }
`,
  });
  const { end, state } = await world.run(await readWritten());
  assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(outcomes(state.steps))}`);
  assert.equal(state.blueprint.sha256.length, 64);
  assert.match(await world.forge.getDiff('acme/api', state.change?.number ?? 0), /^\+x = 2$/m);
});

test('a run that continued as a new execution, and a run that is started like it, still have the files, by reference', async () => {
  await writeBlueprint({
    ...programs,
    'blueprint.yaml': `
blueprint: v1
name: long
steps:
  - id: numbers
    run: seq 20
    parse: lines
  - each: "\${{ steps.numbers.value }}"
    as: number
    do: [ run: python3 "$JIG_BLUEPRINT/tools/set.py" app.py ]
  - id: last
    run: python3 "$JIG_BLUEPRINT/tools/set.py" app.py
  - end: { outcome: nothing-to-do, reason: "\${{ steps.last.stdout }}" }
`,
  });
  const { runId, end } = await world.run(await readWritten());
  assert.deepEqual([end.outcome, end.reason], ['nothing-to-do', '5']);
  const { blueprint, repository, inputs } = await world.client.request(runId);
  assert.ok(blueprint.files && !Array.isArray(blueprint.files), 'the run went on as a new execution');
  const again = await world.client.start({ blueprint, repository, inputs, requester: 'tester' });
  assert.equal((await world.client.result(again.runId)).reason, '5');
});

const trivial = 'blueprint: v1\nname: trivial\nsteps:\n  - run: ls "$JIG_BLUEPRINT" | wc -l\n';
const file = (path: string, text = ''): BlueprintFile => ({
  path,
  executable: false,
  base64: Buffer.from(text).toString('base64'),
});
const around = { repository: { forge: 'local', name: 'acme/api' }, inputs: {}, requester: 'tester' };

test('files that don’t fit the hash, or can’t be in a folder, start nothing', async () => {
  const sent = { name: 'trivial', text: trivial, file: 'blueprint.yaml' };
  const cases: [BlueprintFile[], string, string][] = [
    [[file('a', 'x')], hashBlueprint(trivial, [file('a', 'y')]), 'blueprint-not-pinned'],
    ...['../../escaped', '/etc/passwd', '.git/config'].map((path): [BlueprintFile[], string, string] => [
      [file(path)],
      hashBlueprint(trivial, [file(path)]),
      'blueprint-file-refused',
    ]),
  ];
  for (const [files, sha256, code] of cases) {
    const { runId } = await world.client.start({ ...around, blueprint: { ...sent, files, sha256 } });
    const end = await world.client.result(runId);
    assert.deepEqual([end.outcome, end.code], ['failed', code], end.reason);
  }
});

test('files that are too large for a request are sent through the worker’s store, or refused if it can’t be reached', async () => {
  const { maxSentBytes } = defaults.blueprint;
  const files = [file('a', 'x'.repeat(maxSentBytes / 2)), file('b', 'y'.repeat(maxSentBytes / 2))];
  const blueprint = { name: 'trivial', text: trivial, file: 'blueprint.yaml', files };
  await assert.rejects(world.client.start({ ...around, blueprint }), { code: 'blueprint-folder-too-large' });
  const client = createClient(world.client.temporal, undefined, {
    keepFiles: (bytes) => world.parts.artifacts.put(bytes, 'application/json'),
  });
  const { runId } = await client.start({ ...around, blueprint });
  assert.equal((await client.result(runId)).outcome, 'succeeded');
  assert.ok(!Array.isArray((await client.request(runId)).blueprint.files));
});
