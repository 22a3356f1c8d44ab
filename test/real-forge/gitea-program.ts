/** Gitea, built once from its module by Go and kept in the user's cache with the files that it serves. */
import { cp, copyFile, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from '../../demo/ensure-folder.ts';

const giteaVersion = '1.26.0';
const moduleName = 'code.gitea.io/gitea';
/** What of the module the program wants beside it. */
const served = ['templates', 'options', 'public'];
const buildTimeoutMs = 40 * 60_000;

/** What this machine lacks to have a Gitea, in plain words; undefined: nothing. */
export async function findMissingBuildTool(): Promise<string | undefined> {
  if ((await stat(programFolder()).catch(() => undefined)) !== undefined) return undefined;
  const tools: Record<string, [string, string]> = {
    'Go 1.26 or newer': ['go', 'version'],
    'a C compiler': ['cc', '--version'],
  };
  const missing: string[] = [];
  for (const [name, [program, word]] of Object.entries(tools))
    if ((await execa(program, [word], { reject: false })).failed) missing.push(name);
  if (missing.length === 0) return undefined;
  return `Gitea is built from source, and this machine lacks ${missing.join(' and ')}; on Debian: apt-get install golang-go gcc`;
}

/** The folder with `gitea` and what it serves: built once (some minutes), found from then on. Repeatable. */
export async function ensureGiteaProgram(onProgress: (line: string) => void): Promise<string> {
  const folder = programFolder();
  await ensureFolder(folder, async (target, scratch) => {
    const source = join(scratch, 'source');
    await mkdir(source);
    for (const file of ['go.mod', 'go.sum'])
      await copyFile(join(import.meta.dirname, 'gitea-module', file), join(source, file));
    const go = (...words: string[]) => execa('go', words, { cwd: source, timeout: buildTimeoutMs });
    onProgress(`Fetching Gitea ${giteaVersion}`);
    await go('mod', 'download');
    const { stdout: sources } = await go('list', '-m', '-f', '{{.Dir}}', moduleName);
    onProgress('Building Gitea, some minutes');
    await go(
      'build',
      '-mod=readonly',
      '-trimpath',
      '-tags',
      'sqlite sqlite_unlock_notify',
      '-ldflags',
      `-s -w -X main.Version=${giteaVersion}`,
      '-o',
      join(target, 'gitea'),
      moduleName,
    );
    for (const name of served) await cp(join(sources, name), join(target, name), { recursive: true });
  });
  return folder;
}

/** `JIG_TEST_GITEA` names a folder that was made by hand. */
function programFolder(): string {
  const cacheDir = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return process.env['JIG_TEST_GITEA']
    ? resolve(process.env['JIG_TEST_GITEA'])
    : join(cacheDir, 'jig', 'gitea', giteaVersion);
}
