/** Reads where this machine gets packages from, from its own tools' configuration. */
import { execa } from 'execa';

export interface MachineIndexes {
  /** pip's settings by their names: `index-url`, `extra-index-url`, `cert`, `find-links`, `trusted-host`. */
  pip: Record<string, string>;
  /** npm's `registry` and `cafile`. */
  npm: Record<string, string>;
  /** GOPROXY and GOSUMDB. */
  go: Record<string, string>;
  /** Variables that name certificates: SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, CARGO_HTTP_CAINFO. */
  certificates: Record<string, string>;
}

const certificateVariables = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'CARGO_HTTP_CAINFO'];

/** Asks the tools that these presets need. One that is missing or doesn't answer has no settings. */
export async function readMachineIndexes(
  presets: string[],
  env: Record<string, string | undefined>,
): Promise<MachineIndexes> {
  const needs = (preset: string) => presets.includes(preset);
  const [pip, npm, go] = await Promise.all([
    needs('pypi') ? ask('python3', ['-m', 'pip', 'config', 'list'], env) : '',
    needs('npm') ? ask('npm', ['config', 'get', 'registry', 'cafile'], env) : '',
    needs('go') ? ask('go', ['env', 'GOPROXY', 'GOSUMDB'], env) : '',
  ]);
  const [proxy = '', sumdb = ''] = go.split('\n');
  const certificates = certificateVariables.map((name) => [name, env[name] ?? '']);
  return {
    pip: parsePipConfig(pip),
    npm: withoutUnset(parseNpmConfig(npm)),
    go: withoutUnset({ GOPROXY: proxy, GOSUMDB: sumdb }),
    certificates: withoutUnset(Object.fromEntries(certificates)),
  };
}

/** Parses `pip config list`, such as `global.cert='/path'`. Later sources win; the environment is the last. */
export function parsePipConfig(text: string): Record<string, string> {
  const settings: [string, string][] = [];
  for (const line of text.split('\n')) {
    const match = /^(\S+)\.([a-z-]+)=(['"])(.*)\3$/.exec(line.trim());
    const [, source, name, , value] = match ?? [];
    if (source !== undefined && name !== undefined && value !== undefined)
      settings.push([name, value.replaceAll(String.raw`\n`, ' ').trim()]);
  }
  // The environment is listed first but must win.
  return Object.fromEntries(settings.toReversed());
}

/** Parses `npm config get NAME NAME`, with a line `name=value` for each. */
export function parseNpmConfig(text: string): Record<string, string> {
  const found = text.split('\n').map((line) => /^(\w+)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(
    found.flatMap((match) => (match?.[1] !== undefined && match[2] !== undefined ? [[match[1], match[2]]] : [])),
  );
}

function withoutUnset(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== '' && value !== 'null' && value !== 'undefined'),
  );
}

async function ask(program: string, words: string[], env: Record<string, string | undefined>): Promise<string> {
  const result = await execa(program, words, { env, extendEnv: false, timeout: 60_000, cwd: '/', reject: false });
  return result.failed ? '' : result.stdout.trim();
}
