/**
 * Reads the frames in which `scripts/run-command.sh` reports on a command. All of it is untrusted until the seal is
 * checked.
 */
import { z } from 'zod';
import { commandEndings } from '../sandbox/contract.ts';

const Count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

/** The line that reports a command's end. `text` is what its digest was made of. */
export const CommandEnd = z
  .tuple([z.enum(commandEndings), Count, Count, Count, Count, Count, Count, Count, z.string().regex(/^[0-9a-f]{64}$/)])
  .transform(([ending, exitCode, outKept, outDropped, errKept, errDropped, startedMs, durationMs, digest]) => ({
    text: [ending, exitCode, outKept, outDropped, errKept, errDropped, startedMs, durationMs].join(' '),
    ending,
    exitCode,
    stdout: { keptBytes: outKept, droppedBytes: outDropped },
    stderr: { keptBytes: errKept, droppedBytes: errDropped },
    startedMs,
    durationMs,
    digest,
  }));
export type CommandEnd = z.infer<typeof CommandEnd>;

export type CommandFrame =
  /** The script has started. */
  | { kind: 'here' }
  /** A part of an output. The parts of one frame come one after the other. */
  | { kind: 'output'; stream: 'stdout' | 'stderr'; bytes: Uint8Array }
  | { kind: 'end'; end: CommandEnd }
  /** The script waits for the command's standard input. */
  | { kind: 'stdin' }
  | { kind: 'lost'; reason: string }
  /** The script runs in another pod than intended. */
  | { kind: 'other' };

/** The bytes are no frames. */
export class FrameError extends Error {
  override name = 'FrameError';
}

const maxHeaderBytes = 300;
const newline = 10;

/** Reads frames from bytes in any pieces. */
export class FrameReader {
  #header = Buffer.alloc(0);
  #output: { stream: 'stdout' | 'stderr'; left: number } | undefined;

  /** @throws FrameError */
  *read(bytes: Uint8Array): Generator<CommandFrame> {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (rest.length > 0) {
      if (this.#output) {
        const part = rest.subarray(0, this.#output.left);
        yield { kind: 'output', stream: this.#output.stream, bytes: part };
        this.#output.left -= part.length;
        if (this.#output.left === 0) this.#output = undefined;
        rest = rest.subarray(part.length);
        continue;
      }
      const end = rest.indexOf(newline);
      this.#header = Buffer.concat([this.#header, end < 0 ? rest : rest.subarray(0, end)]);
      if (this.#header.length > maxHeaderBytes) throw new FrameError('a frame has no end');
      if (end < 0) return;
      rest = rest.subarray(end + 1);
      const frame = this.#open(this.#header.toString('latin1'));
      this.#header = Buffer.alloc(0);
      if (frame) yield frame;
    }
  }

  #open(header: string): CommandFrame | undefined {
    const [word = '', ...fields] = header.split(' ');
    if (word === 'out' || word === 'err') {
      const length = Count.safeParse(fields.join(' '));
      if (!length.success || length.data === 0) throw new FrameError('a frame of output has no length');
      this.#output = { stream: word === 'out' ? 'stdout' : 'stderr', left: length.data };
      return undefined;
    }
    if (word === 'lost') return { kind: 'lost', reason: fields.join(' ') };
    if (header === 'here' || header === 'stdin' || header === 'other') return { kind: header };
    const end = CommandEnd.safeParse(word === 'end' ? fields : undefined);
    if (!end.success) throw new FrameError('a frame is of no known kind');
    return { kind: 'end', end: end.data };
  }
}
