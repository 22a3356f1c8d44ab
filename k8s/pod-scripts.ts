/** The scripts that supervise commands inside a sandbox's pod, in the form in which the pod carries them. */
import { readFileSync } from 'node:fs';

/** Paths in the container. Everything except `scripts` and `blueprint` may be written by commands. */
export const podPaths = {
  workspace: '/work',
  home: '/home/agent',
  temporary: '/tmp',
  /** The blueprint's files, read-only. */
  blueprint: '/blueprint',
  /** Records of commands: lock, pid, outputs, result. */
  commands: '/jig',
  /**
   * Read-only, so that no command can change what supervises the next one. Holds `podScripts`, and `incarnation` with
   * the pod's UID.
   */
  scripts: '/opt/jig',
};

const sources = {
  'init.sh': new URL('scripts/init.sh', import.meta.url),
  'run-command.sh': new URL('scripts/run-command.sh', import.meta.url),
  'stop-command.sh': new URL('scripts/stop-command.sh', import.meta.url),
  'supervise.sh': new URL('../sandbox/supervise.sh', import.meta.url),
};

/** File names and texts for `podPaths.scripts`, without comments. The container starts with `/bin/sh init.sh`. */
export function podScripts(): Record<keyof typeof sources, string> {
  return {
    'init.sh': scriptText(sources['init.sh']),
    'run-command.sh': scriptText(sources['run-command.sh']),
    'stop-command.sh': scriptText(sources['stop-command.sh']),
    'supervise.sh': scriptText(sources['supervise.sh']),
  };
}

function scriptText(source: URL): string {
  const lines = readFileSync(source, 'utf8').split('\n');
  return `${lines.filter((line) => !/^\s*(#|$)/.test(line)).join('\n')}\n`;
}
