/** Finds by trying what this machine lacks for isolating commands. */
import { access, constants, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { HostIssue } from '../contract.ts';

/** Settings that forbid user namespaces, and the value that allows them. */
const settings = [
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    name: 'kernel.unprivileged_userns_clone',
    forbids: '0',
    allow: '1',
  },
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    forbids: '1',
    allow: '0',
  },
  { file: '/proc/sys/user/max_user_namespaces', name: 'user.max_user_namespaces', forbids: '0', allow: '10000' },
];

/** Tries a namespace with everything that sandboxes use. @returns nothing if that works */
export async function checkNamespaces(
  bwrapPath: string,
  platform: NodeJS.Platform = process.platform,
): Promise<HostIssue[]> {
  if (platform !== 'linux') {
    return [
      {
        code: 'sandbox-platform',
        message: `commands can't be isolated on ${platform}: only Linux has namespaces`,
        hint: 'Run the worker on Linux (a container or a virtual machine), or run without isolation with --sandbox unsafe-process.',
      },
    ];
  }
  try {
    await access(bwrapPath, constants.X_OK);
  } catch {
    return [
      {
        code: 'bwrap-missing',
        message: `bubblewrap is not at ${bwrapPath}`,
        hint: 'Install your distribution’s package bubblewrap.',
      },
    ];
  }
  const problem = await tryNamespaces(bwrapPath);
  return problem === undefined ? [] : [await explain(problem)];
}

/** What bubblewrap reports; undefined if it works. */
async function tryNamespaces(bwrapPath: string): Promise<string | undefined> {
  const words = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--uid',
    '1000',
    '--gid',
    '1000',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--',
    '/bin/true',
  ];
  const result = await execa(bwrapPath, words, { timeout: 10_000, env: {}, extendEnv: false, reject: false });
  return result.failed ? result.stderr?.trim() || result.shortMessage : undefined;
}

async function explain(problem: string): Promise<HostIssue> {
  const forbidding = [];
  for (const setting of settings) {
    const value = await readFile(setting.file, 'utf8').catch(() => undefined);
    if (value?.trim() === setting.forbids) forbidding.push(setting);
  }
  const hint =
    forbidding.length > 0
      ? `Allow user namespaces: ${forbidding.map(({ name, allow }) => `sysctl -w ${name}=${allow}`).join('; ')}`
      : 'In a container, the container runtime must allow user namespaces and an unmasked /proc. Or run without isolation with --sandbox unsafe-process.';
  return { code: 'user-namespaces-unavailable', message: `bubblewrap can't make namespaces here: ${problem}`, hint };
}
