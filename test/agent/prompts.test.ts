import assert from 'node:assert/strict';
import { test } from 'vitest';
import { findPlaces, taskMessage, verifyFeedback } from '../../agent/prompts.ts';

const pytest = `E   AssertionError
tests/test_a.py:12: AssertionError
src/acme/clock.py:7: DeprecationWarning: utcnow() is deprecated
src/acme/clock.py:7: DeprecationWarning: utcnow() is deprecated
  File "src/acme/b.py", line 33, in now
/usr/lib/python3/site-packages/x.py:5: Warning`;

test('each place that an output names is found once, in order', () => {
  assert.deepEqual(findPlaces(pytest), ['tests/test_a.py:12', 'src/acme/clock.py:7', 'src/acme/b.py:33']);
});

test('the feedback for a failed check says what is left and where, with the end of the output', () => {
  const text = verifyFeedback([{ command: 'pytest -q', exitCode: 1, output: `${'noise\n'.repeat(5000)}${pytest}` }], {
    number: 2,
    of: 3,
  });
  assert.match(
    text,
    /attempt 2 of 3[^]*`pytest -q` failed with exit code 1[^]*- src\/acme\/clock.py:7[^]*site-packages\/x.py:5: Warning/,
  );
  assert(text.length < 6000);
});

test('the feedback for a check that was ended says why it was', () => {
  assert.match(
    verifyFeedback([{ command: 'pytest', exitCode: 137, ending: 'deadline', output: '' }], { number: 2, of: 3 }),
    /was ended \(deadline\)/,
  );
});

test('the task says which files may change and which commands decide', () => {
  assert.equal(
    taskMessage(' Fix it.\n', { allowPaths: ['src/**'], verify: ['pytest -q'] }),
    'Fix it.\n\nYou may change only these files: src/**\n\nWhen you are done, these commands must succeed:\n- pytest -q',
  );
});
