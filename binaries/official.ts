/** Downloads from the program's own release page. It gives up quickly, because many machines can't reach it. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeTemporaryFolder } from './cache.ts';
import { runProgram } from './program.ts';
import type { BinaryName, Pin } from './pins.ts';

/** The address of the release's archive; undefined if the program has none for this platform. */
export function officialArchiveUrl(name: BinaryName, version: string, platform: string): string | undefined {
  if (name !== 'temporal') return undefined;
  const words = {
    'linux-x64': 'linux_amd64',
    'linux-arm64': 'linux_arm64',
    'darwin-x64': 'darwin_amd64',
    'darwin-arm64': 'darwin_arm64',
  };
  const target = Object.entries(words).find(([key]) => key === platform)?.[1];
  return (
    target && `https://github.com/temporalio/cli/releases/download/v${version}/temporal_cli_${version}_${target}.tar.gz`
  );
}

/**
 * Downloads and unpacks an archive with the program at its top. The caller verifies the files.
 * @returns the folder, with the program at the pin's path; undefined if the download fails
 */
export async function downloadArchive(
  url: string,
  cacheDir: string,
  options: { name: BinaryName; pin: Pin; timeoutMs: number },
): Promise<string | undefined> {
  const { name, pin, timeoutMs } = options;
  const folder = await makeTemporaryFolder(cacheDir);
  try {
    const archive = join(folder, 'archive.tar.gz');
    if (await download(url, archive, timeoutMs)) {
      const tar = await runProgram('tar', ['-xzf', archive, '-C', folder, name], {
        env: { PATH: process.env['PATH'] },
        timeoutMs: 60_000,
      });
      if (tar.exitCode === 0) {
        const place = join(folder, pin.files[0].path);
        await mkdir(dirname(place), { recursive: true });
        await rename(join(folder, name), place);
        return folder;
      }
    }
  } catch {
    // Whatever went wrong, the other source is asked next, and reports its own problems.
  }
  await rm(folder, { recursive: true, force: true });
  return undefined;
}

/**
 * Downloads a file. The answer must begin within `timeoutMs`, and its body may then take five minutes. Returns false if
 * the server refuses.
 */
async function download(url: string, path: string, timeoutMs: number): Promise<boolean> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), timeoutMs);
  try {
    const response = await fetch(url, { signal: slow.signal });
    clearTimeout(timer);
    if (!response.ok || !response.body) return false;
    await pipeline(response.body, createWriteStream(path), { signal: AbortSignal.timeout(300_000) });
    return true;
  } finally {
    clearTimeout(timer);
  }
}
