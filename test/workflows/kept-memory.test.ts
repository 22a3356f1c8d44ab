import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { CheckResult } from '../../evidence/gate.ts';
import { parseMemory } from '../../workflows/kept-memory.ts';
import { newMemory, type RunMemory } from '../../workflows/memory.ts';
import type { RunState } from '../../workflows/messages.ts';
import { recordChecks, rememberGates } from '../../workflows/steps/check.ts';

test('a memory is read back with everything that checks and changes leave in it', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of what is shown is not checked
  const shown = { steps: [] } as unknown as RunState;
  const memory: RunMemory = newMemory(shown);
  const command = { argv: ['make', 'test'], env: { CI: '1' }, shown: 'make test', counts: ['reports/*.xml'] };
  const { shown: _, ...identity } = command;
  const result: Required<CheckResult> = {
    command: 'make test',
    exitCode: 1,
    ending: 'exited',
    durationMs: 1,
    tests: { passed: 1, failed: 1, skipped: 0, total: 2 },
    doubt: 'its output is too long',
    failures: ['a'],
    lines: ['b'],
    obstacle: { kind: 'limit', what: 'it used more memory than the sandbox has' },
    flaky: true,
    mustTurnGreen: true,
  };
  memory.baseline.push({ ...identity, result });
  rememberGates(memory, 'check', [command], 1000);
  recordChecks(memory, 'check', [{ result, before: result, verdict: { passed: false, reason: 'exit code 1' } }]);
  memory.change = {
    number: 1,
    url: 'https://forge.test/1',
    branch: 'jig/a',
    commit: 'c',
    files: 1,
    title: 'T',
    body: 'B',
    draft: true,
    labels: [],
    gate: 'clean',
    surprises: ['run.sh: mode 100755 -> 100644'],
    unchecked: true,
  };
  memory.records['check'] = {
    outcome: 'failed',
    outputs: {},
    failure: { code: 'environment', message: 'make is not installed' },
  };
  assert.deepEqual(parseMemory(JSON.parse(JSON.stringify(memory))), memory);
});
