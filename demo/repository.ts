/** The repository of the demo: a published package, as its authors released it, in one commit. */
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from './ensure-folder.ts';
import { type SourceDistribution, unpackSourceDistribution } from './source-distribution.ts';

const demoPackage: SourceDistribution = {
  project: 'WebOb',
  version: '1.8.9',
  sha256: 'ad6078e2edb6766d1334ec3dee072ac6a7f95b1e32ce10def8ff7f0f02d56589',
};

export interface DemoRepository {
  path: string;
  name: string;
  /** The command that checks the repository. */
  check: string;
  package: string;
  version: string;
}

/**
 * Makes the demo's repository below `cacheDir`, or finds it. Its one commit is the same on every machine.
 * @throws JigError `source-distribution-unavailable`
 */
export async function ensureDemoRepository(options: {
  cacheDir: string;
  onProgress?: (line: string) => void;
}): Promise<DemoRepository> {
  const { project, version } = demoPackage;
  const path = join(options.cacheDir, 'demo', `webob-${version}`);
  await ensureFolder(path, async (folder) => {
    options.onProgress?.(`Fetching ${project} ${version} as its authors published it`);
    await unpackSourceDistribution(demoPackage, folder);
    await commitFiles(folder, `${project} ${version} as published`);
  });
  return { path, name: 'webob', check: 'pytest -q', package: project, version };
}

/** Makes `folder` a repository with one commit that depends only on the files and `message`. */
async function commitFiles(folder: string, message: string): Promise<void> {
  const who = { NAME: 'Jig demo', EMAIL: 'demo@jig.invalid', DATE: '2024-01-01T00:00:00Z' };
  const person = (role: string) =>
    Object.fromEntries(Object.entries(who).map(([key, value]) => [`GIT_${role}_${key}`, value]));
  const env = { ...person('AUTHOR'), ...person('COMMITTER'), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words: string[]) =>
    execa('git', ['-c', 'core.autocrlf=false', '-c', 'core.fileMode=true', ...words], { cwd: folder, env });
  await git('init', '--quiet', '--template=', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', message);
}
