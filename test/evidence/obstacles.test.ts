import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { observe } from '../../evidence/observe.ts';

interface Ended {
  exitCode?: number;
  ending?: string;
  output?: string;
  refused?: string[];
}
const kindOf = ({ exitCode = 1, ending = 'exited', output = '', refused = [] }: Ended): string | undefined => {
  const { obstacle } = observe({ ending, exitCode, streams: ['', output], refused });
  return obstacle && `${obstacle.kind}: ${obstacle.what}`;
};

const obstacles: [rule: string, ended: Ended, expected: string | undefined][] = [
  ['dash', { exitCode: 127, output: 'sh: 1: pytest: not found' }, 'program-missing: pytest is not installed'],
  [
    'bash',
    { exitCode: 127, output: 'bash: line 1: pytest: command not found' },
    'program-missing: pytest is not installed',
  ],
  ['zsh', { exitCode: 127, output: 'zsh:1: command not found: pytest' }, 'program-missing: pytest is not installed'],
  [
    'make',
    { exitCode: 2, output: 'make: pytest: No such file or directory\nmake: *** [Makefile:2: test] Error 127' },
    'program-missing: pytest is not installed',
  ],
  [
    'make with a shell',
    { exitCode: 2, output: '/bin/sh: 1: ruff: not found\nmake: *** [Makefile:2: lint] Error 127' },
    'program-missing: ruff is not installed',
  ],
  [
    'npm',
    { exitCode: 127, output: '> test\n> vitest run\n\nsh: 1: vitest: not found' },
    'program-missing: vitest is not installed',
  ],
  [
    'env',
    { exitCode: 127, output: '/usr/bin/env: ‘node’: No such file or directory' },
    'program-missing: node is not installed',
  ],
  ['python', { output: '/usr/bin/python3: No module named pytest' }, 'program-missing: pytest is not installed'],
  [
    'cargo',
    { exitCode: 101, output: 'error: no such command: `nextest`' },
    'program-missing: nextest is not installed',
  ],
  [
    'go',
    { output: 'exec: "golangci-lint": executable file not found in $PATH' },
    'program-missing: golangci-lint is not installed',
  ],
  ['node', { output: 'Error: spawn java ENOENT' }, 'program-missing: java is not installed'],
  [
    'maven',
    { output: 'ERROR: JAVA_HOME is not set and no java command could be found in your PATH.' },
    'program-missing: JAVA_HOME is not installed',
  ],
  ['silence with exit code 127', { exitCode: 127 }, 'program-missing: a program that it runs is not installed'],
  [
    'a program of the repository that is missing',
    { exitCode: 127, output: 'sh: 1: ./run-tests: not found' },
    undefined,
  ],
  ['a module of the repository that is missing', { output: 'ModuleNotFoundError: No module named app' }, undefined],
  ["a request of the repository's own program that failed", { output: 'TypeError: Failed to fetch' }, undefined],
  [
    "a fault of the repository's own program",
    { output: 'AssertionError: expected "failed to fetch user 7" to be ""' },
    undefined,
  ],
  ['a value that is not found', { output: 'KeyError: user: not found' }, undefined],

  [
    'a host that was refused',
    { output: 'cannot reach index.example', refused: ['index.example:443'] },
    'download-failed: index.example:443 was refused',
  ],
  [
    'a refused host that has nothing to do with it',
    { output: 'a.py:1: unused', refused: ['index.example:443'] },
    undefined,
  ],
  [
    'curl',
    { exitCode: 6, output: 'curl: (6) Could not resolve host: index.example' },
    'download-failed: the network was needed: Could not resolve host: index.example',
  ],
  [
    'pip',
    { output: 'ERROR: Max retries exceeded with url: /simple/six/' },
    'download-failed: the network was needed: Max retries exceeded with url: /simple/six/',
  ],
  [
    'npm without a network',
    { output: 'npm error code EAI_AGAIN' },
    'download-failed: the network was needed: EAI_AGAIN',
  ],
  [
    'go without a network',
    { output: 'dial tcp: lookup proxy.example: no such host' },
    'download-failed: the network was needed: dial tcp: lookup proxy.example: no such host',
  ],
  [
    'maven without a network',
    { output: '[ERROR] Could not transfer artifact a:b:jar:1' },
    'download-failed: the network was needed: Could not transfer artifact a:b:jar:1',
  ],
  ['a test of the network among others', { output: 'F\nENOTFOUND\n=== 1 failed, 2 passed in 0.10s ===' }, undefined],

  ['a deadline', { exitCode: 137, ending: 'deadline' }, 'deadline: it took longer than its timeout'],
  ['no memory', { exitCode: 137, ending: 'out-of-memory' }, 'limit: it used more memory than the sandbox has'],
  ['a signal', { exitCode: 139 }, 'crash: it was ended by signal 11'],
  ['a number of failed tests as exit code', { exitCode: 134, output: '  2 passing (3ms)\n  134 failing\n' }, undefined],
  [
    'a fault after the tests',
    { exitCode: 139, output: '.\n=== 1 passed in 0.10s ===\n' },
    'crash: it was ended by signal 11',
  ],
  ['success, whatever it wrote', { exitCode: 0, output: 'sh: 1: pytest: not found' }, undefined],
  ['an ordinary failure', { output: 'a.py:1: unused' }, undefined],
];
describe('what kept a command from its work is told from what it found', () => {
  for (const [rule, ended, expected] of obstacles) test(rule, () => assert.equal(kindOf(ended), expected));
});
