/** Whether this machine can hold a test cluster. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

/** Programs, and the Debian packages that bring them. */
const packages = {
  buildah: 'buildah',
  cc: 'gcc libc6-dev',
  containerd: 'containerd',
  ctr: 'containerd',
  debootstrap: 'debootstrap',
  etcd: 'etcd-server',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  openssl: 'openssl',
  runc: 'runc',
  setpriv: 'util-linux',
  unshare: 'util-linux',
};
const cniPlugins = ['bridge', 'host-local', 'loopback', 'portmap'].map((name) => join('/usr/lib/cni', name));
/** As Kubernetes' go.mod asks for. */
const goVersion = [1, 24] as const;

/** What the kernel must allow: asked by doing it, in namespaces that end with the question. */
const kernelQuestion = `
set -e
ip link add one type veth peer name two
ip link add three type bridge
nft add table bridge test
room=$(mktemp -d)
trap 'umount "$room/seen" 2>/dev/null; rm -rf "$room"' EXIT
mkdir "$room/upper" "$room/work" "$room/seen"
mount -t overlay -o "lowerdir=/var/lib,upperdir=$room/upper,workdir=$room/work" overlay "$room/seen"
[ -c /dev/kmsg ] || { echo 'there is no /dev/kmsg' >&2; false; }
for root in /sys/fs/cgroup/ /sys/fs/cgroup/*/; do
  [ -e "$root/cgroup.procs" ] || continue
  folder=$root/jig-cluster-question-$1
  mkdir "$folder"
  rmdir "$folder"
  [ "$root" != /sys/fs/cgroup/ ] || break
done
`;

/** Why there can be no test cluster here, in plain words; undefined: there can. */
export async function findObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `a test cluster needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a test cluster needs root: namespaces, mounts and cgroups are made for it';
  const missing = await findMissingPackages();
  if (missing.length > 0)
    return `a test cluster needs programs that are missing here; on Debian: apt-get install ${missing.join(' ')}`;
  const go = await findGoVersion();
  const wanted = `Go ${goVersion.join('.')} or newer, by which Kubernetes is built`;
  if (go === undefined) return `a test cluster needs ${wanted}, and this machine has none`;
  const [major = 0, minor = 0] = go;
  if (major < goVersion[0] || (major === goVersion[0] && minor < goVersion[1]))
    return `a test cluster needs ${wanted}, and this machine has ${go.join('.')}`;
  const kernel = await execa(
    'unshare',
    ['--mount', '--net', '--pid', '--fork', 'bash', '-c', kernelQuestion, 'question', String(process.pid)],
    { reject: false },
  );
  return kernel.failed
    ? `a test cluster needs network, bridge, nftables, overlay and cgroups of its own, and this machine refuses: ${kernel.stderr.trim()}`
    : undefined;
}

async function findMissingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const [program, found] of Object.entries(packages)) {
    if (!(await anyRuns(folders.map((folder) => join(folder, program))))) missing.add(found);
  }
  for (const plugin of cniPlugins) if (!(await anyRuns([plugin]))) missing.add('containernetworking-plugins');
  return [...missing];
}

async function anyRuns(paths: string[]): Promise<boolean> {
  for (const path of paths)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true;
  return false;
}

async function findGoVersion(): Promise<number[] | undefined> {
  const { stdout, failed } = await execa('go', ['env', 'GOVERSION'], { reject: false });
  const numbers = /^go(\d+)\.(\d+)/.exec(stdout ?? '');
  return failed || !numbers ? undefined : [Number(numbers[1]), Number(numbers[2])];
}
