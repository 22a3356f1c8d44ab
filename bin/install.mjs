/**
 * Runs before anything is installed, on any node from 20 on. It installs the dependencies of the lock file, and finds a
 * node that runs TypeScript. It is plain JavaScript, and uses only node's own modules.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.jig-installed');
const lockFolder = join(root, '.jig', 'install.lock');

/** A failure that is shown to a person without a stack. */
class SetupFailure extends Error {}

/** Makes node_modules match package-lock.json. Repeatable, also at the same time. @throws SetupFailure */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const unlock = await lock();
  try {
    if (isInstalled()) return;
    if (!holdsEverything()) install();
    writeFileSync(stampFile, wantedStamp());
  } finally {
    unlock();
  }
}

/** The path of a node that runs TypeScript directly: this one, or the one that npm installed. @throws SetupFailure */
export function findNode24() {
  if (Number(process.versions.node.split('.')[0]) >= 24 && process.features.typescript) return process.execPath;
  const places = [
    'node/bin/node',
    `node/node_modules/node-${process.platform}-${process.arch}/bin/node`,
    `node-${process.platform}-${process.arch}/bin/node`,
  ];
  const found = places.map((place) => join(root, 'node_modules', place)).find((path) => existsSync(path));
  if (found) return found;
  throw new SetupFailure(
    `Jig needs Node 24, but this is ${process.version}, and npm's package node@24 has no program for ${process.platform}-${process.arch}.\nInstall Node 24 (https://nodejs.org) and try again.`,
  );
}

/**
 * Runs a program with this process's input and output until it ends, and then ends in the same way. It passes signals
 * on.
 */
export async function runInstead(program, words, options = {}) {
  const child = spawn(program, words, { stdio: 'inherit', ...options });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  const pass = (signal) => void child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...how) => resolve(how));
  });
  for (const each of signals) process.off(each, pass);
  if (signal === null) process.exit(code);
  process.kill(process.pid, signal);
  // This process can't die of that signal.
  process.exit(128 + constants.signals[signal]);
}

/** Runs `work`. On a SetupFailure it prints the message and exits with code 1. */
export async function exitOnSetupFailure(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`jig: ${error.message}\n`);
    return process.exit(1);
  }
}

function isInstalled() {
  return read(stampFile) === wantedStamp();
}

function wantedStamp() {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** Whether npm's own record says that everything is installed, for people who ran `npm ci` or `npm install`. */
function holdsEverything() {
  const installed = read(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  const { packages: there } = JSON.parse(installed);
  const { packages: wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || there[path]?.version === version,
  );
}

function install() {
  const npm = spawnSync('npm', ['--version'], { stdio: 'ignore', cwd: root });
  if (npm.error || npm.status !== 0)
    throw new SetupFailure(
      'npm is not installed. Jig needs it to install its dependencies.\nInstall it with Node (https://nodejs.org), or on Debian and Ubuntu with `apt-get install npm`.',
    );
  process.stderr.write('jig: installing dependencies (npm ci); this happens once …\n');
  const startedAtMs = Date.now();
  const done = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    throw new SetupFailure(
      `npm ci failed in ${root}; its output is above.\nIt needs a package registry: see \`npm config get registry\`, and \`npm config get proxy\` behind a proxy.`,
    );
  process.stderr.write(`jig: installed in ${Math.round((Date.now() - startedAtMs) / 1000)} s\n`);
}

/** Locks out other installations. The lock of a dead process is taken over. */
async function lock() {
  for (let said = false; ; await wait(200)) {
    try {
      mkdirSync(dirname(lockFolder), { recursive: true });
      mkdirSync(lockFolder);
      writeFileSync(join(lockFolder, 'pid'), String(process.pid));
      return () => rmSync(lockFolder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw new SetupFailure(`${dirname(lockFolder)} can't be written: ${error.message}`);
    }
    if (isLockLost()) rmSync(lockFolder, { recursive: true, force: true });
    else if (!said) process.stderr.write('jig: waiting for another process that installs dependencies …\n');
    said = true;
  }
}

function isLockLost() {
  const pid = Number(read(join(lockFolder, 'pid')));
  // For a moment after the folder is made, its file with the owner is missing.
  if (!pid) return Date.now() - (statSync(lockFolder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 5000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
