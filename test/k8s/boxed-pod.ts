/**
 * A pod's container without Kubernetes: a process namespace with the pod's scripts and folders, whose first process is
 * `init.sh`, and which is entered from outside as a container runtime enters it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import { podPaths, podScripts } from '../../k8s/pod-scripts.ts';
import { findBwrap } from '../sandbox/fixtures.ts';
import type { ScriptedExec } from './scripted-api-server.ts';

export interface BoxedPod extends AsyncDisposable {
  incarnation: string;
  /** The folder that is `podPaths.commands` inside. */
  commandsDir: string;
  /** Starts a process inside, as an exec does. */
  enter: (words: string[]) => ChildProcess;
  /** Serves an exec: its words run inside, and go on where the connection drops. */
  serve: (exec: ScriptedExec) => Promise<void>;
}

const BoxInfo = z.object({ 'child-pid': z.number() });

/** @param shell what /bin/sh is inside; the machine's own where missing. */
export async function startBoxedPod({
  shell,
  blueprint = [],
}: { shell?: string; blueprint?: readonly BlueprintFile[] } = {}): Promise<BoxedPod> {
  const folder = await mkdtemp(join(tmpdir(), 'jig-boxed-pod-'));
  const incarnation = randomUUID();
  for (const name of ['scripts', 'work', 'home', 'jig', 'blueprint']) await mkdir(join(folder, name));
  for (const [name, text] of Object.entries({ ...podScripts(), incarnation }))
    await writeFile(join(folder, 'scripts', name), text);
  for (const { path, executable, base64 } of blueprint) {
    const file = join(folder, 'blueprint', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(base64, 'base64'), { mode: executable ? 0o555 : 0o444 });
  }
  const box = spawn(await findBwrap(), [...boxWords(folder, shell), '/bin/sh', `${podPaths.scripts}/init.sh`], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: imageEnv,
  });
  const info = await text(box.stdio[3] as Readable);
  const pid = BoxInfo.parse(JSON.parse(info))['child-pid'];
  const running = new Set<ChildProcess>();
  const enter: BoxedPod['enter'] = (words) => {
    const entered = spawn(
      'nsenter',
      [
        '--target',
        String(pid),
        '--user',
        '--mount',
        '--pid',
        '--no-fork',
        '--preserve-credentials',
        'sh',
        '-c',
        outerShell,
        'sh',
        ...words,
      ],
      { stdio: 'pipe', env: imageEnv, cwd: '/' },
    );
    running.add(entered.once('close', () => running.delete(entered)));
    entered.stdin.on('error', () => {});
    return entered;
  };
  const close = async (): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    if (box.exitCode === null && box.signalCode === null) await once(box, 'exit');
    for (const entered of running)
      if (entered.exitCode === null && entered.signalCode === null) await once(entered, 'close');
    await rm(folder, { recursive: true, force: true });
  };
  return {
    incarnation,
    commandsDir: join(folder, 'jig'),
    enter,
    serve: async (exec) => await serveExec(exec, enter),
    [Symbol.asyncDispose]: close,
  };
}

/** nsenter's own parent process would stop with what it entered for, which a runtime's does not. */
const outerShell = 'setsid "$@"; exit $?';

/** As an image and Kubernetes set it. */
const imageEnv = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  IMAGE_VERSION: '7',
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  KUBERNETES_PORT_443_TCP_ADDR: '10.0.0.1',
};

function boxWords(folder: string, shell: string | undefined): string[] {
  const top = ['bin', 'sbin', 'lib', 'lib32', 'lib64']
    .filter((name) => existsSync(`/${name}`))
    .flatMap((name) => {
      return lstatSync(`/${name}`).isSymbolicLink()
        ? ['--symlink', readlinkSync(`/${name}`), `/${name}`]
        : ['--ro-bind', `/${name}`, `/${name}`];
    });
  const shellWords = shell === undefined ? [] : ['--ro-bind', shell, '/usr/bin/sh'];
  return [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--uid',
    '1000',
    '--gid',
    '1000',
    '--as-pid-1',
    '--die-with-parent',
    '--info-fd',
    '3',
    '--ro-bind',
    '/usr',
    '/usr',
    ...shellWords,
    ...top,
    '--ro-bind-try',
    '/etc/alternatives',
    '/etc/alternatives',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--tmpfs',
    podPaths.temporary,
    '--ro-bind',
    join(folder, 'scripts'),
    podPaths.scripts,
    '--ro-bind',
    join(folder, 'blueprint'),
    podPaths.blueprint,
    '--bind',
    join(folder, 'work'),
    podPaths.workspace,
    '--bind',
    join(folder, 'home'),
    podPaths.home,
    '--bind',
    join(folder, 'jig'),
    podPaths.commands,
    '--chdir',
    '/',
  ];
}

async function serveExec(exec: ScriptedExec, enter: BoxedPod['enter']): Promise<void> {
  const { socket, send, end } = exec;
  const entered = enter(exec.words);
  const { stdin, stdout, stderr } = entered;
  const exited = once(entered, 'exit');
  socket.on('message', (frame: Buffer) => void (frame[0] === 0 ? stdin?.write(frame.subarray(1)) : stdin?.end()));
  // What was sent before anybody listened.
  for (const bytes of exec.input.splice(0)) stdin?.write(bytes ?? '');
  socket.once('close', () => {
    stdin?.end();
    // A runtime doesn't kill, and reads no more: the process is held up at its next writing.
    for (const stream of [stdout, stderr]) stream?.removeAllListeners('data').pause();
  });
  const pump = async (stream: Readable | null, channel: number): Promise<void> => {
    for await (const bytes of stream ?? []) await send(channel, bytes);
  };
  await Promise.all([pump(stdout, 1), pump(stderr, 2)]);
  const [code, signal] = z.tuple([z.number().nullable(), z.string().nullable()]).parse(await exited);
  await end(signal === null ? (code ?? 255) : 137);
}
