import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { execa } from 'execa';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox, SandboxResources } from '../../sandbox/contract.ts';
import { checkNamespaces } from '../../sandbox/local/host-check.ts';
import { createLocalProvider, type LocalProvider } from '../../sandbox/local/provider.ts';
import { isBindable } from '../../sandbox/local/toolchains.ts';
import { CommandTooLong, SandboxRefused } from '../../sandbox/errors.ts';
import { findBwrap, mebibyte, runShell, sandboxSpec, temporaryFolder } from './fixtures.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let provider: LocalProvider;
let sandbox: Sandbox;
beforeAll(async () => {
  folder = await temporaryFolder();
  provider = createLocalProvider({ rootDir: `${folder.path}/sandboxes`, bwrapPath: await findBwrap() });
  sandbox = await provider.ensureSandbox(sandboxSpec('run/isolation'));
});
afterAll(async () => {
  await provider.destroySandbox('run/isolation');
  await folder[Symbol.asyncDispose]();
});

describe('a command in a local sandbox', () => {
  it('is an ordinary user without capabilities, in namespaces of its own', async () => {
    const { stdout } = await runShell(
      sandbox,
      'who',
      'id -u; id -g; hostname; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; ls /proc | grep -c "^[0-9]"',
    );
    const [uid, gid, host, capabilities, privileges, processes] = stdout.trim().split('\n');
    assert.deepEqual([uid, gid, host], ['1000', '1000', 'sandbox']);
    assert.match(capabilities ?? '', /0000000000000000$/);
    assert.match(privileges ?? '', /1$/);
    assert.ok(Number(processes) < 8);
  });

  it('writes to its workspace, its home and /tmp, and nowhere else', async () => {
    const { stdout } = await runShell(
      sandbox,
      'writes',
      'for place in /work /home/agent /tmp /dev/shm / /usr /etc /dev /proc /run /home /work/.. ; do touch "$place/probe" 2>/dev/null && echo "$place"; done',
    );
    assert.deepEqual(stdout.trim().split('\n'), ['/work', '/home/agent', '/tmp', '/dev/shm']);
  });

  it('can’t change the machine’s kernel settings, even if the worker is root', async () => {
    const { stdout } = await runShell(
      sandbox,
      'sysctl',
      'for file in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/sys/kernel/hostname; do (echo x >"$file") 2>/dev/null && echo "$file"; done; true',
    );
    assert.equal(stdout, '');
  });

  it('can’t make further user namespaces', async () => {
    assert.notEqual((await runShell(sandbox, 'userns', 'unshare -U true')).result.exitCode, 0);
  });

  it('sees no file, folder or process of the machine’s users', async () => {
    await writeFile(`${folder.path}/secret`, 'secret');
    const { stdout } = await runShell(
      sandbox,
      'sees',
      `ls /root /home; cat ${folder.path}/secret /etc/shadow /proc/1/environ; ls -A /root/.ssh /root/.config /root/.local; ls -l /proc/self/fd`,
    );
    assert.doesNotMatch(stdout, /secret|HOME=\/root/);
    assert.doesNotMatch(stdout, /PATH=|JIG_/, 'nor the environment of whatever started it');
    assert.deepEqual(
      stdout.split('\n').filter((line) => line === 'agent'),
      ['agent'],
    );
    assert.doesNotMatch(stdout, /sandbox\.json|\/status|\/result/, 'no file of the supervision is open');
  });

  it('has none of the descriptors that the worker was started with', async () => {
    const program = `
      import { createLocalProvider } from ${JSON.stringify(new URL('../../sandbox/local/provider.ts', import.meta.url).href)};
      const provider = createLocalProvider({ rootDir: process.argv[1], bwrapPath: process.argv[2] });
      const sandbox = await provider.ensureSandbox(JSON.parse(process.argv[3]));
      const { stdout } = await sandbox.run({ key: 'fds', argv: ['python3', '-c', 'import os\\nfor fd in (20, 40):\\n  try: print(os.listdir(fd))\\n  except OSError as error: print(error.strerror)'], timeoutMs: 20_000, outputCapBytes: 4096 });
      console.log((await import('node:fs')).readFileSync(stdout.path, 'utf8'));
      await provider.destroySandbox('run/born');`;
    const words = [
      process.execPath,
      '--input-type=module',
      '--eval',
      program,
      `${folder.path}/born`,
      await findBwrap(),
      JSON.stringify(sandboxSpec('run/born')),
    ];
    const start = `import os, sys\nfor fd in (20, 40): os.dup2(os.open('/', os.O_RDONLY), fd, True)\nos.execv(sys.argv[1], sys.argv[1:])`;
    const { stdout } = await execa('python3', ['-c', start, ...words]);
    assert.deepEqual(stdout.trim().split('\n'), ['Not a directory', 'Not a directory']);
  });

  it('is refused what namespaces do not separate: keyrings, uncounted memory, sockets to a host of virtual machines, io_uring', async () => {
    const script = `
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    ctypes.set_errno(0)
    return 'given' if libc.syscall(*words) >= 0 else os.strerror(ctypes.get_errno())
keyctl, memfd, shmget = {'x86_64': (250, 319, 29), 'aarch64': (219, 279, 194)}[os.uname().machine]
print(call(keyctl, 0, -3, 1))
print(call(425, 8, 0))
print(call(memfd, b'x', 0))
print(call(shmget, 0, 1 << 20, 0o1600))
print(call(shmget, 0, 4096, 0o1600))
try: socket.socket(40, socket.SOCK_STREAM); print('given')
except OSError as error: print(error.strerror)
socket.socketpair()
`;
    const { stdout } = await runShell(sandbox, 'system-calls', `python3 - <<'PYTHON'\n${script}\nPYTHON`);
    assert.deepEqual(stdout.trim().split('\n'), [
      'Function not implemented',
      'Function not implemented',
      'Function not implemented',
      'Invalid argument',
      'given',
      'Address family not supported by protocol',
    ]);
  });

  it('sees certificates but not their keys', async () => {
    const { stdout } = await runShell(
      sandbox,
      'keys',
      'ls /etc/ssl/certs | head -1; find /etc/ssl /etc/pki -path "*/private/*" 2>/dev/null',
    );
    assert.equal(stdout.trim().split('\n').length, 1);
  });

  it('has no network but its own loopback', async () => {
    const { stdout } = await runShell(
      sandbox,
      'network',
      'cat /proc/net/dev | grep -c :; curl -s --max-time 3 http://169.254.169.254/; curl -s --max-time 3 http://1.1.1.1/; true',
    );
    assert.equal(stdout.trim(), '1');
  });

  it('with more words than bubblewrap accepts is refused with a reason', async () => {
    await assert.rejects(
      sandbox.run({ key: 'words', argv: Array<string>(9000).fill('x'), timeoutMs: 5000, outputCapBytes: 100 }),
      CommandTooLong,
    );
  });

  it('finds the toolchains on this machine’s PATH', async () => {
    const { stdout } = await runShell(
      sandbox,
      'toolchains',
      'python3 -c "print(6 * 7)"; node -p "6 * 7"; git --version',
    );
    assert.match(stdout, /^42\n42\ngit version/);
  });

  it('leaves its installations for later commands', async () => {
    await runShell(sandbox, 'venv', 'python3 -m venv --without-pip ~/.venv', { timeoutMs: 60_000 });
    assert.equal(
      (await runShell(sandbox, 'venv-used', 'command -v python3')).stdout.trim(),
      '/home/agent/.venv/bin/python3',
    );
  });
});

async function limited(id: string, changes: Partial<SandboxResources>): Promise<Sandbox> {
  const { resources } = sandboxSpec(id);
  return await provider.ensureSandbox(sandboxSpec(id, { resources: { ...resources, ...changes } }));
}

/** How late this process's own timers come while `work` goes on. */
async function worstDelayMs(work: Promise<unknown>): Promise<number> {
  const settled = work.then(
    () => true,
    () => true,
  );
  for (let worst = 0; ;) {
    const startedMs = performance.now();
    const done = await Promise.race([settled, delay(10, false)]);
    if (done) return worst;
    worst = Math.max(worst, performance.now() - startedMs - 10);
  }
}

describe('a command past its limits', () => {
  const bombs = [
    ['a fork bomb', 'fork', { processes: 60 }, 'while :; do sleep 60 & done', 'too-many-processes'],
    [
      'threads without end',
      'threads',
      { processes: 20 },
      'python3 -c "\nimport threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()"',
      'too-many-processes',
    ],
    [
      'memory without end',
      'memory',
      { memoryBytes: 128 * mebibyte },
      'python3 -c "\nkept = []\nwhile True: kept.append(bytearray(1 << 20))"',
      'out-of-memory',
    ],
    [
      'memory of many processes',
      'memories',
      { memoryBytes: 128 * mebibyte },
      'for i in 1 2 3 4; do python3 -c "import time; kept = bytearray(b\\"x\\") * (60 << 20); time.sleep(60)" & done; wait',
      'out-of-memory',
    ],
    [
      'a full disk',
      'disk',
      { diskBytes: 64 * mebibyte },
      'for i in 1 2 3 4 5 6; do head -c 40000000 /dev/zero >fill$i; done; sleep 30',
      'disk-full',
    ],
  ] as const;
  for (const [what, id, changes, script, ending] of bombs) {
    it(`${what} ends as ${ending}, and the worker still responds`, async () => {
      const bombed = await limited(`run/bomb-${id}`, changes);
      const running = runShell(bombed, 'bomb', script, { timeoutMs: 25_000 });
      const worst = await worstDelayMs(running);
      const { result } = await running;
      assert.deepEqual([result.ending, result.exitCode], [ending, 137]);
      assert.ok(worst < 3000, `a timer came ${worst} ms late`);
      assert.equal((await runShell(bombed, 'after', 'echo fine')).stdout.slice(0, 4), 'fine');
      await provider.destroySandbox(`run/bomb-${id}`);
    });
  }

  it('an endless loop ends at its deadline, and the worker still responds', async () => {
    const running = runShell(sandbox, 'spin', 'for i in 1 2 3 4; do while :; do :; done & done; wait', {
      timeoutMs: 1000,
    });
    assert.ok((await worstDelayMs(running)) < 2000);
    assert.equal((await running).result.ending, 'deadline');
  });

  it('opening more files than the limit fails', async () => {
    const { stdout } = await runShell(
      sandbox,
      'files',
      'python3 -c "\nfiles = []\ntry:\n  while len(files) < 100000: files.append(open(\'/dev/null\'))\nexcept OSError: print(len(files) < 20000)"',
    );
    assert.equal(stdout, 'True\n');
  });
});

describe('a machine without isolation', () => {
  it('is refused, with a message that says what is missing and what to do', async () => {
    const without = createLocalProvider({ rootDir: `${folder.path}/none`, bwrapPath: '/nonexistent/bwrap' });
    assert.equal((await without.checkHost())[0]?.code, 'bwrap-missing');
    await assert.rejects(
      without.ensureSandbox(sandboxSpec('run/none')),
      (error: unknown) => error instanceof SandboxRefused && /Install/.test(error.hint ?? ''),
    );
  });

  it('that is not Linux is refused', async () => {
    assert.equal((await checkNamespaces('/nonexistent', 'darwin'))[0]?.code, 'sandbox-platform');
  });
});

describe('a toolchain', () => {
  it('is never a home, a folder above one, or a folder of settings', () => {
    const shown = ['/home/a/.nvm/versions/node/v24', '/home/a/.local/share/uv/python/cpython-3.12', '/opt/go'].map(
      (prefix) => isBindable(prefix, '/home/a'),
    );
    const hidden = ['/', '/home', '/home/a', '/home/a/.local', '/home/a/.config', '/root', 'relative'].map((prefix) =>
      isBindable(prefix, '/home/a'),
    );
    assert.deepEqual([shown, hidden], [Array(3).fill(true), Array(7).fill(false)]);
  });
});
