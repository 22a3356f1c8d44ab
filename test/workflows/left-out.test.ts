import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isCheck } from '../../activities/left-out.ts';

test('a shell command is a check only if it does nothing else than to run it and show its output', () => {
  const checks = ['pytest -q'];
  for (const command of [
    'pytest -q',
    ' pytest -q\n',
    'pytest -q 2>&1',
    'pytest -q 2>&1 | tail -n 20',
    'pytest -q | head',
  ])
    assert.ok(isCheck(command, checks), command);
  for (const command of [
    'pytest -q tests',
    'pytest -qq',
    'pytest -q; echo x >new.py',
    'echo x >a && pytest -q',
    'pytest -q >log',
    'pytest',
  ])
    assert.ok(!isCheck(command, checks), command);
});
