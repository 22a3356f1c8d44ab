/** The images that a test cluster's node has, made on this machine: no image registry is asked. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from '../../demo/ensure-folder.ts';

const release = 'bookworm';
const containerfile = join(import.meta.dirname, '../../k8s/deploy/sandbox-image/Containerfile');
const pauseSource = join(import.meta.dirname, 'images/pause.c');
const sandboxImage = 'localhost/jig-sandbox:test';
const stepTimeoutMs = 20 * 60_000;

/** Archives of the images below `cacheDir`, and the sandbox image's name; made the first time, and again when what defines them changes. Repeatable. */
export async function ensureImages(
  cacheDir: string,
  onProgress: (line: string) => void,
): Promise<{ archives: string[]; image: string }> {
  const pause = await ensureArchive(cacheDir, 'pause', 'localhost/pause:1', [pauseSource], (scratch) =>
    fillPause(scratch),
  );
  const sandbox = await ensureArchive(cacheDir, 'sandbox', sandboxImage, [containerfile], (scratch, buildah) =>
    fillSandbox(scratch, buildah, onProgress),
  );
  return { archives: [pause, sandbox], image: sandboxImage };
}

/** Runs a program in mounts of its own: whatever ends it, none is left in the folder that is removed then. */
function runApart(program: string, words: string[]): Promise<unknown> {
  return execa('unshare', ['--mount', program, ...words], { timeout: stepTimeoutMs });
}

/** Runs buildah with storage of its own. */
type Buildah = (...words: string[]) => Promise<unknown>;

/** `fill` makes the context of a build, and returns the words by which buildah finds it. */
async function ensureArchive(
  cacheDir: string,
  name: string,
  image: string,
  definition: string[],
  fill: (scratch: string, buildah: Buildah) => Promise<string[]>,
): Promise<string> {
  const hash = createHash('sha256').update(release);
  for (const file of [...definition, import.meta.filename]) hash.update(await readFile(file));
  const path = join(cacheDir, `image-${name}-${arch()}-${hash.digest('hex').slice(0, 12)}`);
  await ensureFolder(path, async (folder, scratch) => {
    const buildah: Buildah = (...words) =>
      runApart('buildah', [
        '--root',
        join(scratch, 'root'),
        '--runroot',
        join(scratch, 'runroot'),
        '--storage-driver',
        'vfs',
        ...words,
      ]);
    const words = await fill(scratch, buildah);
    await buildah('bud', '--isolation', 'chroot', '--tag', image, ...words);
    await buildah('push', image, `oci-archive:${join(folder, 'image.tar')}:${image}`);
  });
  return join(path, 'image.tar');
}

async function fillPause(scratch: string): Promise<string[]> {
  const context = join(scratch, 'context');
  await mkdir(context);
  await execa('cc', ['-static', '-Os', '-o', join(context, 'pause'), pauseSource]);
  await writeFile(
    join(context, 'Containerfile'),
    'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n',
  );
  return [context];
}

/** The image that is shipped, on a base that Debian's own tool makes. */
async function fillSandbox(scratch: string, buildah: Buildah, onProgress: (line: string) => void): Promise<string[]> {
  const context = join(scratch, 'context');
  await mkdir(context);
  onProgress('Making the sandbox image: a basic Debian');
  await runApart('debootstrap', ['--variant=minbase', release, join(context, 'rootfs')]);
  const base = 'localhost/debian-base:1';
  await writeFile(join(context, 'Containerfile'), 'FROM scratch\nCOPY rootfs/ /\nCMD ["bash"]\n');
  await buildah('bud', '--isolation', 'chroot', '--tag', base, context);
  onProgress('Making the sandbox image: its packages');
  return ['--build-arg', `BASE=${base}`, '--file', containerfile, join(containerfile, '..')];
}
