import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createWorld, type World } from './harness.ts';

const sums = Array.from({ length: 5 }, (_, each) => `    def test_${each}(self): self.assertEqual(app.x, 1)`).join(
  '\n',
);
const files = {
  'app.py': 'x = 1\n',
  'test_app.py': `import unittest, app\nclass T(unittest.TestCase):\n    def test_known(self): self.assertEqual(app.x, 9)\n${sums}\n`,
  '.gitignore': '__pycache__/\nstate/\ntarget/\nreport.xml\n',
  'old.xml': '<testsuite><testcase name="old"/></testsuite>',
  'one.xml': '<testsuite><testcase name="a"/></testsuite>',
  'two.xml': '<testsuite><testcase name="a"/><testcase name="b"/></testsuite>',
};

let world: World;
beforeAll(async () => {
  const edit = (step: string, command: string) => [
    { step, turn: 1, calls: [{ tool: 'shell' as const, arguments: { command } }] },
    { step, turn: 2, text: 'Done.' },
    { step, turn: 3, text: 'Done.' },
  ];
  world = await createWorld({
    script: { script: 'v1', replies: [...edit('work', 'sed -i "s/# .*//" app.py; echo "# new" >>app.py')] },
  });
  await world.addRepository('acme/api', files);
});
afterAll(() => world[Symbol.asyncDispose]());

const change = '  - change: { title: Work }\n';
const run = async (name: string, steps: string) => world.run(`blueprint: v1\nname: ${name}\nsteps:\n${steps}`);
const body = async (number: number | undefined): Promise<string> =>
  (await world.forge.findChange('acme/api', { number: number ?? 0 }))?.body ?? '';

describe('after a change', () => {
  test('the same failed test is excused, and the evidence has both counts', async () => {
    const { end, state } = await run(
      'same',
      `
  - check: [ python3 -m unittest ]
    gate: baseline
  - run: echo '# new' >>app.py
  - check: [ python3 -m unittest ]
${change}`,
    );
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.match(await body(state.change?.number), /5 passed, 1 failed, 0 skipped \| 5 passed, 1 failed, 0 skipped/);
  });

  for (const [what, script, reason] of [
    ['code that no longer compiles', 'echo "x = (" >app.py', /counts are gone|disappeared/],
    [
      'another failed test',
      'sed -i "s/x, 9/x, 1/; 0,/test_0/s/test_0(self): .*/test_0(self): self.fail()/" test_app.py',
      /did not fail before the change: test_0/,
    ],
    ['a test less', 'sed -i /test_0/d test_app.py', /1 test has disappeared/],
    [
      'an expected failure',
      'sed -i "s/^    def test_known/    @unittest.expectedFailure\\n    def test_known/" test_app.py',
      /1 more test is expected to fail/,
    ],
  ] as const) {
    test(`${what} is not`, async () => {
      const { end, state } = await run(
        'worse',
        `
  - check: [ sh -c 'seq 1 9000; python3 -m py_compile app.py && python3 -m unittest' ]
    gate: baseline
  - run: |
      ${script}
  - check: [ sh -c 'seq 1 9000; python3 -m py_compile app.py && python3 -m unittest' ]
${change}`,
      );
      assert.equal(end.code, 'check-failed', end.reason);
      assert.match(end.reason, reason);
      assert.equal(state.change, undefined);
    });
  }
});

describe('surroundings', () => {
  test('that lack a program end the run before the model is asked', async () => {
    const { end, state } = await run(
      'missing',
      `
  - check: [ jig-no-such-program --all ]
    gate: baseline
    on-failure: continue
  - id: work
    agent: { task: Work }
${change}`,
    );
    assert.equal(end.code, 'environment', end.reason);
    assert.match(end.reason, /jig-no-such-program is not installed/);
    assert.equal(state.usage.inputTokens, 0);
  });

  test('are not the model’s fault, so it gets no further attempt', async () => {
    const { end } = await run(
      'missing-verify',
      `
  - id: work
    agent: { task: Work }
    verify: [ jig-no-such-program ]
    attempts: 3
${change}`,
    );
    assert.equal(end.code, 'environment', end.reason);
  });
});

describe('turn-green', () => {
  const steps = (before: string, work: string) => `
  - check: [ ${before} ]
    gate: turn-green
    fails-with: 'must be two'
  - run: ${work}
${change}`;
  const check = `"grep -q 'x = 2' app.py || { echo x must be two; exit 1; }"`;

  test('fails before the change and passes after it', async () => {
    const { end, state } = await run('green', steps(check, 'sed -i s/1/2/ app.py'));
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.equal(state.change?.unchecked, undefined);
  });
  test('that stays red opens no change', async () => {
    assert.equal((await run('red', steps(check, 'sed -i s/1/3/ app.py'))).end.code, 'gate-failed');
  });
  test('that is green already shows nothing', async () => {
    const { end } = await run('already', steps(`'true'`, 'sed -i s/1/2/ app.py'));
    assert.equal(end.code, 'check-failed');
    assert.match(end.reason, /passes before the change/);
  });
  test('that fails for another reason shows nothing', async () => {
    const { end } = await run('other', steps(`'echo no network; exit 1'`, 'sed -i s/1/2/ app.py'));
    assert.equal(end.code, 'check-failed');
    assert.match(end.reason, /not with the text/);
  });
});

describe('reports', () => {
  const steps = (before: string, after: string) => `
  - run: echo '${before}' >run.sh
  - check: [ sh run.sh ]
    gate: baseline
    counts: [ report.xml, old.xml ]
  - run: echo '${after}' >run.sh
  - check: [ sh run.sh ]
${change}`;

  test('that a run wrote are counted, and older ones are not', async () => {
    const { end, state } = await run('reports', steps('cp one.xml report.xml', 'cp two.xml report.xml'));
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.match(await body(state.change?.number), /1 passed, 0 failed, 0 skipped \| 2 passed/);
  });
  test('that lose a test fail', async () => {
    const { end } = await run('reports-less', steps('cp two.xml report.xml', 'cp one.xml report.xml'));
    assert.match(end.reason, /1 test has disappeared/);
  });
  test('of Maven are found where it puts them', async () => {
    const script = 'mkdir -p target/surefire-reports; cp $1 target/surefire-reports/TEST-a.xml';
    const { end } = await run(
      'reports-maven',
      `
  - run: echo '${script}' >mvnw; echo two.xml >which
  - check: [ sh ./mvnw $(cat which) ]
    gate: baseline
  - run: echo one.xml >which
  - check: [ sh ./mvnw $(cat which) ]
${change}`,
    );
    assert.match(end.reason, /1 test has disappeared/);
  });
  test('that are not written any more fail', async () => {
    const { end } = await run('reports-none', steps('cp one.xml report.xml', 'echo no report'));
    assert.match(end.reason, /no report was written/);
  });
});

test('a second baseline does not excuse what the run broke', async () => {
  const { end } = await run(
    'twice',
    `
  - check: [ grep -q 'x = 1' app.py ]
    gate: baseline
  - run: sed -i s/1/2/ app.py
  - check: [ grep -q 'x = 1' app.py ]
    gate: baseline
  - check: [ grep -q 'x = 1' app.py ]
${change}`,
  );
  assert.equal(end.code, 'check-failed', end.reason);
});

test('a check that passes when it runs again is called flaky, and excuses nothing', async () => {
  const { end } = await run(
    'flaky',
    `
  - run: echo '# new' >>app.py
  - check: [ 'mkdir -p state; test -e state/again || { touch state/again; exit 1; }' ]
${change}`,
  );
  assert.equal(end.code, 'check-failed');
  assert.match(end.reason, /flaky/);
});

test('what is flaky before the change may be flaky after it', async () => {
  const check = `'mkdir -p state; test -e state/again || { touch state/again; echo it flaked; exit 1; }'`;
  const { end, state } = await run(
    'flaky-before',
    `
  - check: [ ${check} ]
    gate: baseline
  - run: rm state/again; echo '# new' >>app.py
  - check: [ ${check} ]
${change}`,
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.match(await body(state.change?.number), /exit code 1, flaky/);
});

describe('a change that no check decided on', () => {
  for (const [what, steps] of [
    ['because there is none', ''],
    [
      'because its runner ran no test',
      `  - check: [ "python3 -m unittest nothing_here 2>/dev/null || { echo; ${'echo ' + '-'.repeat(70) + ' >&2'}; echo 'Ran 0 tests in 0.000s' >&2; echo >&2; echo OK >&2; }" ]\n`,
    ],
  ] as const) {
    test(`says so first, and is a draft, ${what}`, async () => {
      const { end, state, runId } = await run(
        'unchecked',
        `\n  - run: echo '# new' >>app.py\n${steps}  - change: { title: Work, body: 'Hello \${{ evidence.summary }}', draft: false }\n`,
      );
      assert.equal(end.outcome, 'succeeded', end.reason);
      assert.match(end.reason, /unchecked/);
      const opened = await world.forge.findChange('acme/api', { number: state.change?.number ?? 0 });
      assert.equal(opened?.draft, true);
      assert.match(opened?.body ?? '', /^> \*\*Unchecked\.\*\*/);
      const listed = await world.client.list({ query: `JigOutcome = 'unchecked'` });
      assert.ok(listed.some((each) => each.runId === runId && each.outcome === 'unchecked'));
    });
  }
});
