import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { once } from 'node:events';
import { onTestFinished, test } from 'vitest';
import { execa, execaSync } from 'execa';
import { quietEnv, root } from './jig.ts';

/** A node of the machine's own that can't run TypeScript, if there is one. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((path) => {
    const { stdout } = execaSync(path, ['-p', 'process.versions.node.split(".")[0]'], { reject: false });
    return Number(stdout) >= 20 && Number(stdout) < 24;
  });
const skip = oldNode === undefined;
if (skip) console.log('The tests of the bootstrap are skipped: this machine has no node between 20 and 23');

/** What cli/main.ts is in the clone: it says which node runs it, and ends as it is told. */
const program = `
const how: string = process.argv[2] ?? '';
process.on('SIGTERM', () => process.exit(7));
if (how === 'wait') { setInterval(() => {}, 1000); console.log('ready'); }
else if (how === 'die') process.kill(process.pid, 'SIGKILL');
else { console.log(process.versions.node.split('.')[0], process.argv.slice(2).join('|')); process.exit(Number(how)); }
`;

/** What `npm ci` does there: a second of work, a line in a ledger, and a node that is ours. */
const npm = (clone: string) => `#!/bin/sh
if [ "$1" = --version ]; then echo 10; exit; fi
echo "$@" >> '${clone}/ledger'
sleep 1
mkdir -p node_modules/node/bin
ln -sf '${process.execPath}' node_modules/node/bin/node
`;

/** A fresh clone with the bootstrap, a lockfile, and a stand-in for npm on its PATH. */
async function makeClone({ withNpm = true }: { withNpm?: boolean } = {}) {
  const clone = await mkdtemp(join(tmpdir(), 'jig-clone-'));
  onTestFinished(() => rm(clone, { recursive: true }));
  await cp(join(root, 'bin'), join(clone, 'bin'), { recursive: true });
  await mkdir(join(clone, 'cli'));
  await mkdir(join(clone, 'tools'));
  await writeFile(join(clone, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(clone, 'package-lock.json'),
    '{ "packages": { "": {}, "node_modules/node": { "version": "24.0.0" } } }',
  );
  await writeFile(join(clone, 'cli', 'main.ts'), program);
  if (withNpm) {
    await writeFile(join(clone, 'tools', 'npm'), npm(clone));
    await chmod(join(clone, 'tools', 'npm'), 0o755);
  }
  const basics = ['sh', 'sleep', 'mkdir', 'ln'].map(
    (name) =>
      [name, ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find((path) => isThere(path)) ?? ''] as const,
  );
  for (const [name, path] of basics) await symlink(path, join(clone, 'tools', name));
  const start = (...args: string[]) =>
    execa(oldNode ?? process.execPath, [join(clone, 'bin', 'jig.mjs'), ...args], {
      env: { ...quietEnv(), PATH: join(clone, 'tools') },
      extendEnv: false,
      reject: false,
    });
  const ledger = async () =>
    (await readFile(join(clone, 'ledger'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
  return { clone, start, ledger };
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

test('the command runs on an older node, by starting the node that npm installed', { skip }, async () => {
  const { stdout, exitCode } = await execa(oldNode ?? '', [join(root, 'bin', 'jig.mjs'), '--version'], {
    env: quietEnv(),
    extendEnv: false,
    reject: false,
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+$/);
});

test('two commands at once in a fresh clone install once, and the next one installs nothing', { skip }, async () => {
  const { start, ledger, clone } = await makeClone();
  const both = await Promise.all([start('0', 'a b', '--x'), start('3')]);
  assert.deepEqual(
    both.map(({ exitCode }) => exitCode),
    [0, 3],
  );
  assert.match(both[0].stdout, /^2[4-9] 0\|a b\|--x$/);
  assert.match(both.map(({ stderr }) => stderr).join('\n'), /installing dependencies[^]*installed in \d+ s/);
  assert.match(both.map(({ stderr }) => stderr).join('\n'), /waiting for another process/);
  assert.equal((await start('0')).stderr, '');
  assert.deepEqual(await ledger(), ['ci --include=dev --loglevel=error']);
  // Another lockfile is another installation.
  await writeFile(
    join(clone, 'package-lock.json'),
    '{ "packages": { "": {}, "node_modules/node": { "version": "24.0.1" } } }',
  );
  await start('0');
  assert.equal((await ledger()).length, 2);
});

test('what npm has already installed is used as it is', { skip }, async () => {
  const { start, ledger, clone } = await makeClone();
  await mkdir(join(clone, 'node_modules', 'node', 'bin'), { recursive: true });
  await symlink(process.execPath, join(clone, 'node_modules', 'node', 'bin', 'node'));
  await writeFile(
    join(clone, 'node_modules', '.package-lock.json'),
    '{ "packages": { "node_modules/node": { "version": "24.0.0" } } }',
  );
  assert.equal((await start('0')).exitCode, 0);
  assert.deepEqual(await ledger(), []);
});

test('a lock whose owner died is taken over', { skip }, async () => {
  const { start, ledger, clone } = await makeClone();
  const { pid } = await execa(process.execPath, ['-e', 'process.stdout.write(String(process.pid))']).then(
    ({ stdout }) => ({ pid: stdout }),
  );
  await mkdir(join(clone, '.jig', 'install.lock'), { recursive: true });
  await writeFile(join(clone, '.jig', 'install.lock', 'pid'), pid);
  assert.equal((await start('0')).exitCode, 0);
  assert.equal((await ledger()).length, 1);
});

test('without npm, the message says what to install', { skip }, async () => {
  const { start } = await makeClone({ withNpm: false });
  const { exitCode, stderr } = await start('0');
  assert.equal(exitCode, 1);
  assert.match(stderr, /^jig: npm is not installed[^]*apt-get install npm/);
});

test('signals, exit codes and deaths by signals are passed on exactly', { skip }, async () => {
  const { start } = await makeClone();
  const died = await start('die');
  assert.equal(died.signal, 'SIGKILL');
  const waiting = start('wait');
  if (waiting.stdout) await once(waiting.stdout, 'data');
  waiting.kill('SIGTERM');
  assert.equal((await waiting).exitCode, 7);
});
