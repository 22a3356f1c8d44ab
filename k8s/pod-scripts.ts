/** The scripts that supervise commands inside a sandbox's pod, as the pod carries them. */
import { readFileSync } from 'node:fs';

/** Where things are in the container. All but `scripts` and `blueprint` are its own to write. */
export const podPaths = {
  workspace: '/work',
  home: '/home/agent',
  temporary: '/tmp',
  /** The blueprint's files, for reading only. */
  blueprint: '/blueprint',
  /** Records of commands: lock, pid, outputs, result. */
  commands: '/jig',
  /** For reading only, so that no command changes what supervises the next: `podScripts`, and `incarnation`, the pod's UID. */
  scripts: '/opt/jig',
};

const sources = {
  'init.sh': new URL('scripts/init.sh', import.meta.url),
  'run-command.sh': new URL('scripts/run-command.sh', import.meta.url),
  'stop-command.sh': new URL('scripts/stop-command.sh', import.meta.url),
  'supervise.sh': new URL('../sandbox/supervise.sh', import.meta.url),
};

/** File names and texts for `podPaths.scripts`; the container starts by `/bin/sh init.sh`. Comments stay behind. */
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
