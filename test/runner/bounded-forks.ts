/** The processes of test files, one for each file. */
import { readdir, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { ForksPoolWorker, type PoolOptions, type PoolRunnerInitializer, type WorkerRequest } from 'vitest/node';

/**
 * Vitest's forks, with a time limit for each file. Vitest has limits for tests and hooks, but none for a file that never
 * loads, or that keeps its process busy so that no timer of Vitest's fires. Such a file is killed, and fails. What a file
 * started and left running is ended with it.
 */
export function boundedForks(fileTimeoutMs: number): PoolRunnerInitializer {
  return { name: 'bounded-forks', createPoolWorker: (options) => new BoundedFork(options, fileTimeoutMs) };
}

class BoundedFork extends ForksPoolWorker {
  readonly #fileTimeoutMs: number;
  #file = 'a test file';
  #bound: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions, fileTimeoutMs: number) {
    super(options);
    this.#fileTimeoutMs = fileTimeoutMs;
  }

  override send(message: WorkerRequest): void {
    if (message.type === 'run' || message.type === 'collect') {
      this.#file = message.context.files.map(({ filepath }) => relative(process.cwd(), filepath)).join(', ');
      this.#bound = setTimeout(() => void this.#end(), this.#fileTimeoutMs);
    }
    super.send(message);
  }

  override async start(): Promise<void> {
    await super.start();
    this.on('exit', () => clearTimeout(this.#bound));
  }

  override async stop(): Promise<void> {
    clearTimeout(this.#bound);
    const left = await findChildren(this['_fork']?.pid);
    if (left.length > 0) say(`${this.#file} has ended its tests and left running: ${wordsOf(left)}`);
    endAll(left);
    await super.stop();
  }

  async #end(): Promise<void> {
    const left = await findChildren(this['_fork']?.pid);
    say(
      `${this.#file} has not ended within ${this.#fileTimeoutMs / 60_000} minutes. Its processes: ${wordsOf(left) || 'none'}`,
    );
    endAll(left);
    await super.stop();
  }
}

interface Child {
  pid: number;
  words: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const wordsOf = (children: Child[]): string => children.map(({ pid, words }) => `${pid} ${words}`).join('; ');

function endAll(children: Child[]): void {
  for (const { pid } of children) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** A process's children, as far as the kernel reports them. */
async function findChildren(pid: number | undefined): Promise<Child[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => readOrNothing(`/proc/${pid}/task/${thread}/children`)));
  const pids = lists.flatMap((list) => list.split(' ').filter(Boolean));
  const children = await Promise.all(
    pids.map(async (child) => ({
      pid: Number(child),
      words: (await readOrNothing(`/proc/${child}/cmdline`)).replaceAll('\0', ' ').trim(),
    })),
  );
  return children.filter(({ words }) => words !== '');
}

/** Reads what may disappear meanwhile. */
function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
