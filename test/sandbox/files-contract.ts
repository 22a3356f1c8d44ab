/** What files in a sandbox of every provider must do, as tests; a part of the sandbox contract. */
import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { Sandbox } from '../../sandbox/contract.ts';
import { readFile as readSandboxFile, SandboxFileError, writeFile as writeSandboxFile } from '../../sandbox/files.ts';
import { runShell } from './fixtures.ts';

const problem = (expected: string) => (error: unknown) =>
  error instanceof SandboxFileError && error.problem === expected;

/** @param getSandbox is asked when a test runs */
export function filesContract(getSandbox: () => Sandbox): void {
  describe('files', () => {
    it('are written and read back, whatever their bytes and names', async () => {
      const bytes = new Uint8Array([0, 1, 254, 255, 10]);
      for (const [index, path] of [
        'plain',
        'a/b/c.txt',
        '-n',
        '--',
        'with space',
        'line\nbreak',
        'ends\n',
        '$(id)',
        '"quoted\'',
        'ünï',
        '.hidden',
      ].entries()) {
        await writeSandboxFile(getSandbox(), `write-${index}`, path, bytes);
        const read = await readSandboxFile(getSandbox(), `read-${index}`, path, { maxBytes: 100 });
        assert.deepEqual([new Uint8Array(read.bytes), read.truncated], [bytes, false], path);
      }
    });

    it('are cut at the limit, and the result says so', async () => {
      await writeSandboxFile(getSandbox(), 'write-long', 'long', Buffer.from('x'.repeat(1000)));
      const read = await readSandboxFile(getSandbox(), 'read-long', 'long', { maxBytes: 10 });
      assert.deepEqual([read.bytes.length, read.truncated], [10, true]);
    });

    it('with an absolute, a parent or an empty path are refused', async () => {
      for (const path of ['/etc/passwd', '../x', 'a/../../x', '', 'a/', 'nul\0']) {
        await assert.rejects(
          readSandboxFile(getSandbox(), `unsafe-${path}`, path, { maxBytes: 10 }),
          problem('unsafe-path'),
          path,
        );
        await assert.rejects(
          writeSandboxFile(getSandbox(), `unsafe-w-${path}`, path, Buffer.from('')),
          problem('unsafe-path'),
          path,
        );
      }
    });

    it('outside the workspace are refused, also through a link', async () => {
      await runShell(
        getSandbox(),
        'links',
        'ln -s /etc/passwd out.txt; ln -s ../../other up; ln -s /tmp tmp; ln -s /nowhere/x dangling; mkdir -p d; ln -s d inside; mkfifo pipe',
      );
      await assert.rejects(readSandboxFile(getSandbox(), 'link-1', 'out.txt', { maxBytes: 10 }), problem('outside'));
      await assert.rejects(readSandboxFile(getSandbox(), 'link-2', 'tmp/x', { maxBytes: 10 }), problem('not-found'));
      for (const [index, path] of ['out.txt', 'tmp/x', 'tmp/deep/x'].entries()) {
        await assert.rejects(
          writeSandboxFile(getSandbox(), `link-w-${index}`, path, Buffer.from('x')),
          problem('outside'),
          path,
        );
      }
      await assert.rejects(writeSandboxFile(getSandbox(), 'link-w-d', 'dangling', Buffer.from('x')), SandboxFileError);
      await writeSandboxFile(getSandbox(), 'link-inside', 'inside/x', Buffer.from('x'));
      await assert.rejects(readSandboxFile(getSandbox(), 'a-folder', 'd', { maxBytes: 10 }), problem('not-a-file'));
      await assert.rejects(readSandboxFile(getSandbox(), 'a-pipe', 'pipe', { maxBytes: 10 }), problem('not-a-file'));
      await assert.rejects(readSandboxFile(getSandbox(), 'missing', 'no/such', { maxBytes: 10 }), problem('not-found'));
    });
  });
}
