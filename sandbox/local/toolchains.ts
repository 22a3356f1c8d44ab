/**
 * Finds toolchains outside the system folders (a python of pyenv, a node of nvm, go, cargo, java) by asking the
 * programs, so that a sandbox can have them at the same place, read-only.
 */
import { access, constants, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { execa } from 'execa';

/** A toolchain outside the system folders. */
export interface Toolchain {
  name: string;
  /** The folder that is mounted read-only. */
  prefix: string;
  /** Where its programs are. */
  bin: string;
}

/** How to ask each program where it is installed. */
const questions: { name: string; ask: (program: string) => Promise<string> }[] = [
  { name: 'python3', ask: async (program) => await answer(program, '-I', '-c', 'import sys; print(sys.base_prefix)') },
  { name: 'node', ask: async (program) => dirname(dirname(await answer(program, '-p', 'process.execPath'))) },
  { name: 'go', ask: async (program) => await answer(program, 'env', 'GOROOT') },
  { name: 'rustc', ask: async (program) => await answer(program, '--print', 'sysroot') },
  { name: 'java', ask: async (program) => dirname(dirname(await realpath(program))) },
];

/** Folders that every sandbox has. */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib64'];

/** The toolchains of this machine, in the order of PATH. A program that doesn't answer is left out. */
export async function findToolchains(path: string = process.env['PATH'] ?? ''): Promise<Toolchain[]> {
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  const found = await Promise.all(questions.map(async ({ name, ask }) => await findToolchain(name, ask, folders)));
  return found.filter((toolchain) => toolchain !== undefined);
}

async function findToolchain(
  name: string,
  ask: (program: string) => Promise<string>,
  folders: string[],
): Promise<Toolchain | undefined> {
  for (const folder of folders) {
    const program = join(folder, name);
    try {
      await access(program, constants.X_OK);
      const prefix = await realpath(await ask(program));
      return isBindable(prefix) ? { name, prefix, bin: join(prefix, 'bin') } : undefined;
    } catch {
      // It is not in this folder, or is a shim without a program behind it. The next folder may have it.
    }
  }
  return undefined;
}

/** Whether a prefix may be mounted in a sandbox: never a home, a folder above one, or a whole settings folder. */
export function isBindable(prefix: string, home: string = homedir()): boolean {
  const forbidden = ['/', home, '/home', '/root', join(home, '.local'), join(home, '.config'), join(home, '.cache')];
  return prefix.startsWith('/') && !forbidden.some((folder) => folder === prefix || folder.startsWith(prefix + sep));
}

/** Whether every sandbox has this path anyway. */
export function isSystemPath(path: string): boolean {
  return systemFolders.some((folder) => path === folder || path.startsWith(folder + sep));
}

async function answer(program: string, ...words: string[]): Promise<string> {
  const { stdout } = await execa(program, words, { timeout: 10_000, cwd: '/' });
  const path = stdout.trim();
  if (!path.startsWith('/')) throw new Error(`${program} did not say where it is installed`);
  return path;
}
