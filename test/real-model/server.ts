/** A real small model behind the OpenAI protocol, on this machine. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { getFreePort } from '../../worker/free-port.ts';
import { ensureServerProgram } from './server-program.ts';
import { ensureWeights, modelName } from './weights.ts';

export interface ModelServer {
  /** For `OPENAI_BASE_URL`. */
  baseUrl: string;
  model: string;
  /** What Jig is told so that it asks this model. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

const startTimeoutMs = 120_000;
const contextTokens = 8192;

/**
 * A running server of the model, on a port of its own; what it needs is fetched and built the first time (some
 * minutes) and kept in the user's cache. The caller stops it.
 */
export async function ensureModelServer(
  onProgress: (line: string) => void = (line) => console.error(line),
): Promise<ModelServer> {
  const { program, weights } = await ensureModel(onProgress);
  return startServer(program, weights);
}

/** The paths of the server's program and of the weights. Repeatable. */
export async function ensureModel(onProgress: (line: string) => void): Promise<{ program: string; weights: string }> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'jig', 'model');
  const program = await ensureServerProgram(cacheDir, onProgress);
  return { program, weights: await ensureWeights(cacheDir, onProgress) };
}

async function startServer(program: string, weights: string): Promise<ModelServer> {
  const port = await getFreePort();
  const words = [
    '-m',
    weights,
    '--alias',
    modelName,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--jinja',
    '-t',
    '2',
    '-c',
    String(contextTokens),
  ];
  const server = execa(program, words, { stdio: 'ignore', reject: false, forceKillAfterDelay: 2000 });
  const address = `http://127.0.0.1:${port}`;
  const stop = async () => {
    server.kill('SIGTERM');
    await server;
  };
  const early = new AbortController();
  void server.then(() => early.abort());
  await ready(address, early.signal).catch(async (error: unknown) => {
    await stop();
    throw new Error(`the model server did not become ready; see what it says by hand: ${server.spawnargs.join(' ')}`, {
      cause: error,
    });
  });
  const baseUrl = `${address}/v1`;
  const env = {
    OPENAI_BASE_URL: baseUrl,
    JIG_MODEL: modelName,
    JIG_MODEL_PROTOCOL: 'json',
    JIG_MODEL_CONTEXT_TOKENS: String(contextTokens),
    JIG_MODEL_TEMPERATURE: '0',
  };
  return { baseUrl, model: modelName, env, stop };
}

/** Polls the server's own word on its state: loading the weights takes seconds, and nothing else tells. */
async function ready(address: string, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(startTimeoutMs)]);
  while (!(await fetch(`${address}/health`, { signal }).catch(() => undefined))?.ok)
    await delay(100, undefined, { signal });
}
