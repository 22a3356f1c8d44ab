/**
 * A single-node Kubernetes, inside the namespaces that `machine.sh` made: `machine.ts STATE NUMBER`. Starts everything,
 * writes STATE/cluster.json when it is ready, takes requests at STATE/control.sock, and ends with its standard input.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { basename, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { clientNames, makeCertificates } from './certificates.ts';
import {
  containerdConfiguration,
  containerdSocket,
  ensureCniConfiguration,
  kubeconfig,
  kubeletConfiguration,
  networkRules,
  nodeName,
} from './configuration.ts';
import {
  apiServer,
  apiServerPort,
  containerd,
  controllerManager,
  type Daemon,
  type DaemonOptions,
  etcd,
  kubeconfigPath,
  kubelet,
  scheduler,
} from './daemons.ts';
import { ClusterRecord, ClusterRequest, MachineSpec } from './record.ts';
import { type Running, startDaemon } from './supervisor.ts';

const readyTimeoutMs = 180_000;
const [state = '', number = ''] = process.argv.slice(2);
const spec = MachineSpec.parse(JSON.parse(await readFile(join(state, 'machine.json'), 'utf8')));
const address = `10.213.${number}.2`;
const logs = join(state, 'logs');
const kubectlProgram = join(spec.programs, 'kubectl');

const die = (error: unknown): void => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
// Whoever listened may be gone; standing up for that is standard input's part.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const running = new Map<string, Running>();
process.stdin.on('end', () => void stopAll().then(() => process.exit(0), die)).resume();
await start().catch(die);

async function start(): Promise<void> {
  const options = await configure();
  await denyNetwork(true);
  await Promise.all([startDaemons(options, etcd, apiServer), startDaemons(options, containerd)]);
  await Promise.all([apiServerReady(), importImages()]);
  await startDaemons(options, controllerManager, scheduler, kubelet);
  await ready('the node', () => kubectl('wait', '--for=condition=Ready', `node/${nodeName}`, '--timeout=1s'));
  await ready('service accounts', () => kubectl('get', 'serviceaccount', 'default', '--namespace=default'));
  await listen(createControl(options), join(state, 'control.sock'));
  const record: ClusterRecord = {
    kubeconfig: kubeconfigPath(state, 'admin'),
    kubectl: kubectlProgram,
    image: spec.image,
    namespacePrefix: 'jig-test-',
    hostAddress: `10.213.${number}.1`,
    control: join(state, 'control.sock'),
  };
  await writeFile(join(state, 'cluster.json.new'), JSON.stringify(record, null, 2));
  await rename(join(state, 'cluster.json.new'), join(state, 'cluster.json'));
  say('ready');
}

async function configure(): Promise<DaemonOptions> {
  const folder = join(state, 'certificates');
  await mkdir(folder, { mode: 0o700 });
  await mkdir(logs);
  const certificates = await makeCertificates(folder, address);
  for (const name of clientNames) {
    const text = await kubeconfig(
      `https://${address}:${apiServerPort}`,
      certificates.authority,
      certificates.clients[name],
    );
    await writeFile(kubeconfigPath(state, name), text, { mode: 0o600 });
  }
  const maxOpenFiles = Number(
    /^Max open files +\d+ +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? 1024,
  );
  await ensureCniConfiguration(join(state, 'cni'));
  await writeFile(
    join(state, 'containerd.toml'),
    containerdConfiguration({ root: join(state, 'containerd'), cniFolder: join(state, 'cni') }),
  );
  await writeFile(
    join(state, 'kubelet.yaml'),
    kubeletConfiguration({ cgroupRoot: `/${basename(state)}`, certificates, maxOpenFiles }),
  );
  return { programs: spec.programs, state, address, certificates };
}

async function startDaemons(options: DaemonOptions, ...daemons: ((options: DaemonOptions) => Daemon)[]): Promise<void> {
  for (const make of daemons) {
    const daemon = make(options);
    running.set(daemon.name, await startDaemon(daemon, logs, die));
  }
}

async function stopAll(): Promise<void> {
  await Promise.all([...running.values()].map((daemon) => daemon.stop()));
}

async function importImages(): Promise<void> {
  const ctr = (...words: string[]): Promise<unknown> =>
    execa('ctr', ['--address', containerdSocket, '--namespace', 'k8s.io', ...words]);
  await ready('containerd', () => ctr('version'));
  for (const archive of spec.imageArchives) await ctr('image', 'import', archive);
}

function apiServerReady(): Promise<void> {
  return ready('the API server', () => kubectl('get', '--raw=/readyz'));
}

function kubectl(...words: string[]): Promise<unknown> {
  return execa(kubectlProgram, ['--kubeconfig', kubeconfigPath(state, 'admin'), ...words]);
}

/** Asks until it answers. */
async function ready(what: string, ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${what} did not become ready within ${readyTimeoutMs / 1000} s`, { cause: error });
      await delay(250);
    }
  }
}

async function denyNetwork(deny: boolean): Promise<void> {
  await execa('nft', ['--file', '-'], { input: networkRules({ deny }) });
}

function createControl(options: DaemonOptions): Server {
  return createServer((request, response) => {
    const answer = (status: number, text: string): void => void response.writeHead(status).end(text);
    json(request)
      .then((body) => carryOut(ClusterRequest.parse(body), options))
      .then(
        () => answer(200, 'done\n'),
        (error: unknown) => answer(500, String(error)),
      );
  });
}

async function carryOut(request: ClusterRequest, options: DaemonOptions): Promise<void> {
  const server = running.get('kube-apiserver');
  switch (request.do) {
    case 'network':
      return denyNetwork(request.deny);
    case 'stop-api-server':
      await server?.stop();
      running.delete('kube-apiserver');
      return;
    case 'silence-api-server':
      return server?.freeze();
    case 'start-api-server':
      server?.thaw();
      if (!server) await startDaemons(options, apiServer);
      return apiServerReady();
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
}
