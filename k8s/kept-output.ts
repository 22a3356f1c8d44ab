/** A command's output on the worker: what has come of it, and at its end, two files that all its followers agree on. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { CapturedStream } from '../sandbox/contract.ts';

const streams = ['stdout', 'stderr'] as const;
type StreamName = (typeof streams)[number];

/** Bytes that have come, in files of this follower's own until they are kept. */
export class ReceivedOutput implements AsyncDisposable {
  readonly received: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  readonly #folder: string;
  readonly #name: string;
  readonly #files: Record<StreamName, FileHandle | undefined> = { stdout: undefined, stderr: undefined };
  readonly #suffix = randomUUID();

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  async add(stream: StreamName, bytes: Uint8Array): Promise<void> {
    const file = await this.#open(stream);
    await file.writeFile(bytes);
    this.received[stream] += bytes.length;
  }

  /** Whether this is the digest of the text and of both outputs as they came. */
  async matches(text: string, digest: string): Promise<boolean> {
    const hash = createHash('sha256').update(text);
    for (const stream of streams) {
      if (this.received[stream] === 0) continue;
      for await (const bytes of createReadStream(this.#fresh(stream))) hash.update(bytes);
    }
    return timingSafeEqual(hash.digest(), Buffer.from(digest, 'hex'));
  }

  /** Puts both files where every follower of the command has them. They hold the same bytes, so the last one may win. */
  async keep(dropped: Record<StreamName, number>): Promise<Record<StreamName, CapturedStream>> {
    const keep = async (stream: StreamName): Promise<CapturedStream> => {
      const file = await this.#open(stream);
      const path = join(this.#folder, `${this.#name}.${stream}`);
      await Promise.all([file.close(), rename(this.#fresh(stream), path)]);
      this.#files[stream] = undefined;
      return { path, keptBytes: this.received[stream], droppedBytes: dropped[stream] };
    };
    const [stdout, stderr] = await Promise.all([keep('stdout'), keep('stderr')]);
    return { stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of streams) {
      const file = this.#files[stream];
      if (file) await Promise.all([file.close(), rm(this.#fresh(stream), { force: true })]);
    }
  }

  #fresh(stream: StreamName): string {
    return join(this.#folder, `.${this.#name}.${stream}.${this.#suffix}`);
  }

  async #open(stream: StreamName): Promise<FileHandle> {
    if (!this.#files[stream]) await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return (this.#files[stream] ??= await open(this.#fresh(stream), 'wx', 0o600));
  }
}
