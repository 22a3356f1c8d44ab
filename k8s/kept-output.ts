/**
 * A command's output on the worker: the bytes received so far, and in the end two files on which all followers agree.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { CapturedStream } from '../sandbox/contract.ts';

const streams = ['stdout', 'stderr'] as const;
type StreamName = (typeof streams)[number];

/** The bytes received so far. They are in files of this follower alone until they are kept. */
export class ReceivedOutput implements AsyncDisposable {
  readonly received: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  readonly #folder: string;
  readonly #name: string;
  #files: Promise<Record<StreamName, FileHandle>> | undefined;
  readonly #suffix = randomUUID();

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** Makes the files. This can be done while the command runs, to save the wait after it. Repeatable. */
  async prepare(): Promise<void> {
    await this.#open();
  }

  async add(stream: StreamName, bytes: Uint8Array): Promise<void> {
    await (await this.#open())[stream].writeFile(bytes);
    this.received[stream] += bytes.length;
  }

  /** Whether this is the digest of the text and of both outputs as received. */
  async matches(text: string, digest: string): Promise<boolean> {
    const hash = createHash('sha256').update(text);
    for (const stream of streams) {
      if (this.received[stream] === 0) continue;
      for await (const bytes of createReadStream(this.#fresh(stream))) hash.update(bytes);
    }
    return timingSafeEqual(hash.digest(), Buffer.from(digest, 'hex'));
  }

  /**
   * Moves both files to where every follower of the command finds them. All followers' files hold the same bytes, so
   * the last may win.
   */
  async keep(dropped: Record<StreamName, number>): Promise<Record<StreamName, CapturedStream>> {
    const files = await this.#open();
    const keep = async (stream: StreamName): Promise<CapturedStream> => {
      const path = join(this.#folder, `${this.#name}.${stream}`);
      await Promise.all([files[stream].close(), rename(this.#fresh(stream), path)]);
      return { path, keptBytes: this.received[stream], droppedBytes: dropped[stream] };
    };
    const [stdout, stderr] = await Promise.all([keep('stdout'), keep('stderr')]);
    this.#files = undefined;
    return { stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const files = await this.#files?.catch(() => undefined);
    for (const stream of streams) {
      if (files) await Promise.all([files[stream].close(), rm(this.#fresh(stream), { force: true })]);
    }
  }

  #fresh(stream: StreamName): string {
    return join(this.#folder, `.${this.#name}.${stream}.${this.#suffix}`);
  }

  async #open(): Promise<Record<StreamName, FileHandle>> {
    return await (this.#files ??= this.#make());
  }

  async #make(): Promise<Record<StreamName, FileHandle>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await using undo = new AsyncDisposableStack();
    const stdout = undo.use(await open(this.#fresh('stdout'), 'wx', 0o600));
    const stderr = undo.use(await open(this.#fresh('stderr'), 'wx', 0o600));
    undo.move();
    return { stdout, stderr };
  }
}
