/** A `jig up` of its own for a test of commands, with repositories beside it, and a client for what the test waits for. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { connectClient, type JigClient } from '../../client/client.ts';
import { dataFolders } from '../../client/data-folders.ts';
import type { RunState } from '../../workflows/messages.ts';
import { makeRepository, type Files } from '../e2e/repository.ts';
import { jig, spawnJig, type Said } from './jig.ts';

const Places = z.object({ ui: z.string(), temporal: z.string(), data: z.string(), model: z.string() });
const Started = z.object({ runId: z.string(), uiUrl: z.string() });

export interface Installation extends AsyncDisposable {
  /** Where the commands run; `data` is the data folder. */
  dir: string;
  places: z.infer<typeof Places>;
  client: JigClient;
  jig(...args: string[]): Promise<Said>;
  /** Starts a command and leaves it running. */
  spawn(...args: string[]): ReturnType<typeof spawnJig>;
  /** The id of the run that a command starts. */
  start(...args: string[]): Promise<z.infer<typeof Started>>;
  addRepository(name: string, files: Files): Promise<string>;
  /** The first state of a run for which the condition holds. */
  until(runId: string, condition: (state: RunState) => boolean): Promise<RunState>;
  /** Lets commands go on that wait for `.git/go`. */
  letGoOn(): Promise<void>;
}

/** @throws where `jig up` ends before it is up. */
export async function startInstallation({
  env: more = {},
  files = {},
}: { env?: Record<string, string>; files?: Files } = {}): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'jig-cli-'));
  const data = join(dir, 'data');
  const env = { ...more, JIG_DATA_DIR: data };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const spawn: Installation['spawn'] = (...args) => spawnJig(args, { env, cwd: dir });
  const up = spawn('up', '--json');
  const places = await readPlaces(up);
  const client = await connectClient({ env: {}, dataDir: data });
  const run = (...args: string[]): Promise<Said> => jig(args, { env, cwd: dir });
  return {
    dir,
    places,
    client,
    spawn,
    jig: run,
    async start(...args) {
      const { stdout, stderr } = await run(...args, '--json');
      return Started.parse(JSON.parse(stdout || stderr));
    },
    addRepository: (name, content) => makeRepository(join(dir, name), content),
    async until(runId, condition) {
      let last: RunState | undefined;
      for await (const state of client.follow(runId, { pollMs: 50, signal: AbortSignal.timeout(60_000) })) {
        last = state;
        if (condition(state)) return state;
      }
      throw new Error(`${runId} did not come to it: ${JSON.stringify(last)}`);
    },
    async letGoOn() {
      const { sandboxes } = dataFolders(data);
      for (const name of await readdir(sandboxes)) {
        if (name.startsWith('.')) continue;
        await mkdir(join(sandboxes, name, 'workspace', '.git'), { recursive: true });
        await writeFile(join(sandboxes, name, 'workspace', '.git', 'go'), '');
      }
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      up.kill('SIGTERM');
      await up;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function readPlaces(up: ReturnType<typeof spawnJig>): Promise<z.infer<typeof Places>> {
  return new Promise((resolve, reject) => {
    let text = '';
    up.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('}\n')) resolve(Places.parse(JSON.parse(text)));
    });
    void up.then(({ stderr }) => reject(new Error(`up ended: ${stderr}`)));
  });
}
