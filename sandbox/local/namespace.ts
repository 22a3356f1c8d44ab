/** The words that start a command in a sandbox's namespaces, with bubblewrap. */
import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SandboxResources } from '../contract.ts';
import { hasCode } from './host-files.ts';
import { etcNames } from './layout.ts';
import { isSystemPath, type Toolchain } from './toolchains.ts';

export const workspaceInside = '/work';
export const homeInside = '/home/agent';
export const blueprintInside = '/blueprint';
const egressInside = '/run/egress';
const nodeInside = '/run/jig/node';
const forwarderInside = '/run/jig/forward.mjs';
const forwarder = fileURLToPath(new URL('forward.mjs', import.meta.url));
const emptyFile = fileURLToPath(new URL('empty-file', import.meta.url));
/** A port of the sandbox's own loopback, so any number will do. */
const proxyPort = 3128;

export interface Namespace {
  bwrapPath: string;
  folder: string;
  resources: SandboxResources;
  toolchains: Toolchain[];
  /** Further paths of the machine, mounted read-only at the same place. */
  readOnlyPaths: string[];
  /** Whether there is a way out. If so, the command starts behind a forwarder to the proxy's socket. */
  egress: boolean;
  env: Record<string, string>;
}

/** The part of /etc that programs need and that doesn't reveal the machine's users and networks. */
const etcShown =
  /^(alternatives|ssl|pki|crypto-policies|ca-certificates.*|ld\.so\..*|localtime|timezone|mime\.types|magic|services|protocols|fonts|java.*|python.*|perl|terminfo|debian_version|os-release|lsb-release|locale\.alias|maven|gai\.conf)$/;

/** Changes the folder and becomes the command. As in shells, the exit code is 127 if there is no such program. */
export const enterScript = 'cd -- "$1" || exit 126; unset OLDPWD; shift; exec "$@"';

/**
 * The words for bubblewrap. Every namespace is the sandbox's own. The system, /proc and the root are read-only: a
 * worker that is root would otherwise give the sandbox its rights over /proc/sys.
 */
export function namespaceWords(namespace: Namespace, words: string[]): string[] {
  const { bwrapPath, folder, resources, toolchains, egress } = namespace;
  const outside = [...toolchains.map(({ prefix }) => prefix), ...namespace.readOnlyPaths].filter(
    (path) => !isSystemPath(path),
  );
  return [
    bwrapPath,
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--uid',
    '1000',
    '--gid',
    '1000',
    '--hostname',
    'sandbox',
    '--json-status-fd',
    '3',
    '--seccomp',
    '8',
    ...systemWords(),
    ...ownWords(resources),
    ...etcNames.flatMap((name) => ['--ro-bind', join(folder, 'etc', name), `/etc/${name}`]),
    ...[...new Set(outside)].flatMap((path) => ['--ro-bind-try', path, path]),
    ...maskedWords(['/usr', '/usr/local', ...new Set(outside)]),
    '--bind',
    join(folder, 'workspace'),
    workspaceInside,
    '--bind',
    join(folder, 'home'),
    homeInside,
    // A sandbox made by an older version has no such folder.
    '--ro-bind-try',
    join(folder, 'blueprint'),
    blueprintInside,
    ...(egress ? egressWords(folder) : []),
    '--remount-ro',
    '/',
    '--clearenv',
    ...Object.entries(namespace.env).flatMap(([name, value]) => ['--setenv', name, value]),
    '--chdir',
    workspaceInside,
    '--',
    ...(egress ? [nodeInside, forwarderInside, egressInside, String(proxyPort)] : []),
    ...words,
  ];
}

/** The words for the sandbox's own processes, devices, and files in memory. */
function ownWords({ memoryBytes }: SandboxResources): string[] {
  const shared = ['--size', String(Math.min(memoryBytes, 1 << 30)), '--tmpfs', '/dev/shm'];
  const temporary = ['--size', String(memoryBytes), '--perms', '1777', '--tmpfs', '/tmp'];
  return ['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev', ...shared, '--remount-ro', '/dev', ...temporary];
}

/** The words for the proxy's socket and for the program that connects to it. */
function egressWords(folder: string): string[] {
  const shown = [
    [join(folder, 'egress'), egressInside],
    [process.execPath, nodeInside],
    [forwarder, forwarderInside],
  ] as const;
  return shown.flatMap(([outside, inside]) => ['--ro-bind', outside, inside]);
}

function systemWords(): string[] {
  const words = ['--ro-bind', '/usr', '/usr'];
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const path = `/${name}`;
    if (!existsSync(path)) continue;
    words.push(
      ...(lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]),
    );
  }
  const shown = readdirSync('/etc').filter((name) => etcShown.test(name) && !etcNames.includes(name));
  return [
    ...words,
    ...shown.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...(hidden ??= listPrivate()).flatMap((path) => ['--tmpfs', path]),
  ];
}

/**
 * Folders with private keys next to certificates. A worker that is root could read them, and so could its sandboxes.
 */
let hidden: string[] | undefined;

function listPrivate(): string[] {
  return ['/etc/ssl', '/etc/pki'].flatMap(listPrivateIn);
}

/**
 * Lists private folders in a folder. If this user may not list it, this user's sandboxes can't read it either, so it is
 * left as it is.
 */
function listPrivateIn(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => (name === 'private' ? [join(folder, name)] : listPrivateIn(join(folder, name))));
}

/**
 * The words that hide npm's machine-wide settings, which may hold a token. They read as an empty file: Yarn doesn't start
 * if it can't read them, and a device can't be read where it is bound.
 */
function maskedWords(prefixes: string[]): string[] {
  const files = prefixes.map((prefix) => join(prefix, 'etc', 'npmrc')).filter((path) => existsSync(path));
  return files.flatMap((path) => ['--ro-bind', emptyFile, path]);
}

/**
 * The variables that lead programs to the way out. @param egress the sandbox's list: Java reads no such variable but its
 * own, and says so on standard error each time, so it is set only for the tools that need it
 */
export function proxyEnv(egress: string[]): Record<string, string> {
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const names = [
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'PIP_PROXY',
    'npm_config_proxy',
    'npm_config_https_proxy',
    'CARGO_HTTP_PROXY',
    'YARN_HTTP_PROXY',
    'YARN_HTTPS_PROXY',
  ];
  const local = 'localhost,127.0.0.1,::1';
  return {
    ...Object.fromEntries(names.map((name) => [name, proxy])),
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: '1',
    ...(egress.some((entry) => entry === 'maven' || entry === 'gradle') && { JAVA_TOOL_OPTIONS: javaOptions() }),
  };
}

const javaOptions = (): string =>
  ['http', 'https']
    .flatMap((scheme) => [`-D${scheme}.proxyHost=127.0.0.1`, `-D${scheme}.proxyPort=${proxyPort}`])
    .join(' ');

/**
 * PATH inside the sandbox: what the run installed, then toolchains from outside the system folders, then the system.
 */
export function pathInside(home: string, toolchains: Toolchain[]): string {
  const bins = toolchains
    .filter(({ prefix }) => !isSystemPath(prefix) || prefix.startsWith('/usr/local/'))
    .map(({ bin }) => bin);
  return [
    `${home}/.venv/bin`,
    `${home}/.local/bin`,
    ...new Set(bins),
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ].join(':');
}
