import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { createWorld, type World } from './harness.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({
    script: {
      script: 'v1',
      replies: [
        { step: 'ask', contains: 'color', answer: { word: 'colour' } },
        { step: 'stubborn', turn: 1, text: 'no JSON' },
        { step: 'stubborn', turn: 2, answer: { other: 1 } },
        { step: 'stubborn', turn: 3, answer: { word: 'yes' } },
        { step: 'hopeless', turn: 1, text: 'one' },
        { step: 'hopeless', turn: 2, text: 'two' },
        { step: 'hopeless', turn: 3, text: 'three' },
        { step: 'rewrite[*].ask', contains: 'color of the sky', answer: { line: 'colour of the sky' } },
        { step: 'rewrite[*].ask', contains: 'color of the sea', answer: { line: 'colour of the sea' } },
        {
          step: 'fix',
          turn: 1,
          text: 'I look.',
          calls: [
            { tool: 'read', arguments: { path: 'app.py' } },
            { tool: 'search', arguments: { text: 'x =' } },
          ],
        },
        { step: 'fix', turn: 2, calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 3' } }] },
        { step: 'fix', turn: 3, text: 'Done.' },
        {
          step: 'fix',
          turn: 4,
          contains: 'exit code 1',
          calls: [{ tool: 'shell', arguments: { command: 'sed -i s/3/2/ app.py' } }],
        },
        { step: 'fix', turn: 5, text: 'Now x is 2.' },
      ],
    },
  });
  await world.addRepository('acme/api', {
    'README.md': 'one\ntwo\n',
    'app.py': 'x = 1\n',
    'notes.txt': 'the color of the sky\nthe color of the sea\n',
    'tests/a.txt': 'a',
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const blueprint = (name: string, steps: string, top = ''): string =>
  `blueprint: v1\nname: ${name}\n${top}\nsteps:\n${steps}`;

test('a run step gives its output to later steps, and end decides the outcome', async () => {
  const { end } = await world.run(
    blueprint(
      'run-and-end',
      `
  - id: count
    run: wc -l < README.md
  - if: steps.count.stdout == '2'
    end: { outcome: nothing-to-do, reason: "\${{ steps.count.stdout }} lines" }
`,
    ),
  );
  assert.deepEqual(end, { outcome: 'nothing-to-do', reason: '2 lines', step: 'end' });
});

test('git in a sandbox knows the base, as a clone does, its tags, and with `history: all` the other branches', async () => {
  const name = 'acme/tagged';
  const { path } = await world.addRepository(name, { 'a.txt': 'one\n' });
  const env = { GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
  await execa('git', ['tag', '-a', 'v1.0', '-m', 'v1.0'], { cwd: path, env });
  await execa('git', ['branch', 'late'], { cwd: path });
  await world.forge.updateRepository(name);
  const known = await world.run(
    blueprint(
      'known',
      `
  - run: test "$(git describe)" = v1.0 && test "$(git for-each-ref --format=x refs/remotes)" = x
  - run: echo two >>a.txt
  # In the workspace, and once more on the commit alone.
  - check: [ test "$(git diff --name-only origin/main)" = a.txt && git merge-base HEAD main ]
  - change: { title: More }
`,
    ),
    { repository: name },
  );
  assert.equal(known.end.outcome, 'succeeded', JSON.stringify(known.end));
  const all = await world.run(
    blueprint('all', '  - run: git merge-base HEAD origin/late', 'sandbox: { history: all }'),
    { repository: name },
  );
  assert.equal(all.end.outcome, 'succeeded', JSON.stringify(all.end));
});

test('a run shows which states its sandbox reached, and when', async () => {
  const { state } = await world.run(
    blueprint(
      'states',
      `
  - run: 'true'
`,
    ),
  );
  const row = state.steps.find(({ kind }) => kind === 'sandbox');
  assert.deepEqual(
    row?.states?.map((reached) => reached.state),
    ['created', 'ready', 'checked-out'],
  );
  const times = row?.states?.map(({ at }) => at) ?? [];
  assert.deepEqual(times, times.toSorted());
  assert.match(row?.note ?? '', /^main at [0-9a-f]{12}; ready after \d+\.\d s, checked-out after \d+\.\d s$/);
});

test('an input is always one word and is never evaluated', async () => {
  const hostile = '"; rm -rf / # $(id) ${{ inputs.other }}\n--upload-pack=x';
  const { end, state } = await world.run(
    blueprint(
      'inputs',
      `
  - id: words
    run: [ printf, '%s|', "\${{ inputs.text }}", end ]
  - id: shell
    run: printf '%s' "$TEXT"
    env: { TEXT: "\${{ inputs.text }}" }
  - if: steps.words.stdout == inputs.text + '|end|' && steps.shell.stdout == inputs.text
    end: { outcome: succeeded, reason: the same }
  - end: { outcome: failed, reason: "\${{ steps.words.stdout }}" }
`,
      'inputs: { text: { type: string }, other: { type: string, default: secret } }',
    ),
    { inputs: { text: hostile } },
  );
  assert.equal(end.outcome, 'succeeded', JSON.stringify(state.steps));
});

test('a command that fails ends the run as failed, with its code and step', async () => {
  const { end, state } = await world.run(
    blueprint(
      'failing',
      `
  - id: broken
    run: echo oops >&2; exit 3
  - run: touch never
`,
    ),
  );
  assert.equal(end.outcome, 'failed');
  assert.equal(end.code, 'command-failed');
  assert.equal(end.step, 'broken');
  assert.match(end.reason, /exit code 3: oops/);
  assert.deepEqual(
    state.steps.filter(({ kind }) => kind === 'run').map(({ path }) => path),
    ['broken'],
  );
});

test('with on-failure: continue, later steps can read the outcome', async () => {
  const { end } = await world.run(
    blueprint(
      'going-on',
      `
  - id: broken
    run: exit 1
    on-failure: continue
  - if: steps.broken.outcome == 'failed'
    end: { outcome: succeeded, reason: seen }
`,
    ),
  );
  assert.equal(end.reason, 'seen');
});

test('a command past its timeout is killed and its step fails', async () => {
  const { end } = await world.run(
    blueprint(
      'slow',
      `
  - id: slow
    run: sleep 600
    timeout: 500ms
`,
    ),
  );
  assert.equal(end.code, 'command-deadline');
});

test('an output that was cut can’t be used in a condition', async () => {
  const { end } = await world.run(
    blueprint(
      'cut',
      `
  - id: long
    run: yes | head -c 100000
  - if: steps.long.stdout == 'y'
    end: { outcome: succeeded, reason: no }
`,
    ),
  );
  assert.equal(end.code, 'output-was-cut');
});

test('an answer must fit its schema, and the model is told what is wrong', async () => {
  const { end, state } = await world.run(
    blueprint(
      'prompts',
      `
  - id: stubborn
    prompt: { text: Say a word, answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
  - end: { outcome: succeeded, reason: "\${{ steps.stubborn.value.word }}" }
`,
    ),
  );
  assert.equal(end.reason, 'yes');
  assert.ok(state.usage.outputTokens > 0);
});

test('three unusable answers end the step with a typed reason', async () => {
  const { end } = await world.run(
    blueprint(
      'hopeless',
      `
  - id: hopeless
    prompt: { text: Say a word, answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
`,
    ),
  );
  assert.equal(end.code, 'unusable-answers');
});

test('each asks about every place, code applies the answers, and edits of one file run one after the other', async () => {
  const { end, state } = await world.run(
    blueprint(
      'each',
      `
  - id: places
    run: grep -n color notes.txt | sed 's/^\\([0-9]*\\):the \\(.*\\)$/{"line":\\1,"text":"\\2"}/' | paste -sd, | sed 's/^/[/;s/$/]/'
    parse: json
  - id: rewrite
    each: \${{ steps.places.value }}
    as: place
    do:
      - id: ask
        prompt: { text: "Rewrite: \${{ place.text }}", answer: { type: object, properties: { line: { type: string } }, required: [ line ] } }
      - edit: { path: notes.txt, old: "\${{ place.text }}", new: "\${{ steps.ask.value.line }}", line: "\${{ place.line }}" }
  - id: read
    run: cat notes.txt
  - end: { outcome: succeeded, reason: "\${{ steps.read.stdout }}, \${{ steps.rewrite.succeeded }}" }
`,
    ),
  );
  assert.equal(end.reason, 'the colour of the sky\nthe colour of the sea, 2', JSON.stringify(state.steps));
});

test('an edit that does not match is refused, and each tolerates as many failures as it allows', async () => {
  const steps = (tolerate: number): string => `
  - id: places
    run: printf 'one\\nnowhere\\n'
    parse: lines
  - id: rewrite
    each: \${{ steps.places.value }}
    as: place
    tolerate: ${tolerate}
    do:
      - edit: { path: README.md, old: "\${{ place }}", new: three }
  - end: { outcome: succeeded, reason: "\${{ steps.rewrite.failed }} failed" }
`;
  assert.equal((await world.run(blueprint('tolerant', steps(1)))).end.reason, '1 failed');
  assert.equal((await world.run(blueprint('strict', steps(0)))).end.code, 'each-failed');
});

test('an agent works with its tools, and the output of its checks goes back to the same conversation', async () => {
  const { end, state } = await world.run(
    blueprint(
      'agent',
      `
  - id: fix
    agent: { task: Make x two, tools: [ read, search, edit, shell ] }
    verify: [ grep -q 'x = 2' app.py ]
    attempts: 2
  - end: { outcome: succeeded, reason: "\${{ steps.fix.summary }} \${{ steps.fix.turns }} turns, \${{ steps.fix.attempts }} attempts" }
`,
    ),
  );
  assert.equal(end.reason, 'Now x is 2. 5 turns, 2 attempts', JSON.stringify(state.steps));
});

test('a step ends when its attempts are used up, whatever the model says', async () => {
  const { end } = await world.run(
    blueprint(
      'liar',
      `
  - id: fix
    agent: { task: Make x two, tools: [ read, search, edit ] }
    verify: [ test -e never ]
    attempts: 1
`,
    ),
  );
  assert.equal(end.code, 'verify-failed');
});

test('the budget is checked before each question', async () => {
  const { end } = await world.run(
    blueprint(
      'poor',
      `
  - id: fix
    agent: { task: Make x two }
`,
      'budget: { turns: 2 }',
    ),
  );
  assert.equal(end.code, 'budget-exceeded');
  const prompt = await world.run(
    blueprint(
      'poorer',
      `
  - id: ask
    prompt: { text: "the color", answer: { type: object } }
  - id: again
    prompt: { text: "the color", answer: { type: object } }
`,
      'budget: { turns: 1 }',
    ),
  );
  assert.equal(prompt.end.code, 'budget-exceeded');
  assert.equal(prompt.end.step, 'again');
});

test('the sandbox is removed however the run ends', async () => {
  assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
});
