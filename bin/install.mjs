/**
 * What runs before anything is installed, on any node from 20 on: dependencies as the lockfile has them, and a node
 * that runs TypeScript. Plain JavaScript, and nothing but node's own modules.
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

/** A failure for a person, without a stack. */
class SetupFailure extends Error {}

/** Makes sure that node_modules is what package-lock.json says. Repeatable, also at the same time. @throws SetupFailure */
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

/** The node that runs TypeScript as it is: this one, or the one that npm brought. @throws SetupFailure */
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
    `Jig runs on Node 24, this is ${process.version}, and npm's package node@24 brought no program for ${process.platform}-${process.arch}.\nInstall Node 24 (https://nodejs.org) and try again.`,
  );
}

/** Runs a program with this process's input and output to its end; signals go to it, its exit code or signal becomes ours. */
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
  // A signal that this process can't die of.
  process.exit(128 + constants.signals[signal]);
}

/** Runs `work`; a SetupFailure becomes its message and the exit code 1. */
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

/** Whether npm itself says that it put everything there, for people who ran `npm ci` or `npm install`. */
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
      'npm is not installed, and it brings what Jig needs.\nInstall it with Node (https://nodejs.org), or on Debian and Ubuntu with `apt-get install npm`.',
    );
  process.stderr.write('jig: installing dependencies (npm ci); this happens once …\n');
  const startedAtMs = Date.now();
  const done = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    throw new SetupFailure(
      `npm ci failed in ${root}; what it said stands above.\nIt needs a package registry: see \`npm config get registry\`, and \`npm config get proxy\` behind a proxy.`,
    );
  process.stderr.write(`jig: installed in ${Math.round((Date.now() - startedAtMs) / 1000)} s\n`);
}

/** One installation at a time; the lock of a process that died is taken over. */
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
  // Between the folder and its file there is a moment without an owner.
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
