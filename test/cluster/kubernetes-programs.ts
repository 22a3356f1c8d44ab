/** Kubernetes' own programs, built once from its Go modules. */
import { copyFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from '../../demo/ensure-folder.ts';

const version = '1.34.2';
const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'];
const buildTimeoutMs = 60 * 60_000;

/** Folder of the programs below `cacheDir`: built the first time (some minutes), found from then on. Repeatable. */
export async function ensureKubernetes(cacheDir: string, onProgress: (line: string) => void): Promise<string> {
  const path = join(cacheDir, `kubernetes-${version}-${arch()}`);
  await ensureFolder(path, async (folder, scratch) => {
    for (const file of ['go.mod', 'go.sum'])
      await copyFile(join(import.meta.dirname, 'kubernetes', file), join(scratch, file));
    // Without these it calls itself v0.0.0.
    const [major, minor] = version.split('.');
    const stamps = Object.entries({ gitVersion: `v${version}`, gitMajor: major, gitMinor: minor }).map(
      ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
    );
    const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
    for (const [index, program] of programs.entries()) {
      onProgress(
        `Building Kubernetes ${version}, some minutes the first time: ${program}, ${index + 1} of ${programs.length}`,
      );
      await execa(
        'go',
        [
          'build',
          '-trimpath',
          '-ldflags',
          `-s -w ${stamps.join(' ')}`,
          '-o',
          folder,
          `k8s.io/kubernetes/cmd/${program}`,
        ],
        { cwd: scratch, env, timeout: buildTimeoutMs },
      );
    }
  });
  return path;
}
