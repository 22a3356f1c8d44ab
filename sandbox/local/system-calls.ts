/**
 * The system calls that a sandbox is refused, as a seccomp filter that bubblewrap loads. They reach what namespaces
 * don't separate: keyrings belong to the kernel's user, which may be the worker's own; memory that is not mapped by any
 * process isn't counted; sockets to a virtual machine's host ignore network namespaces; and io_uring makes such sockets,
 * and does other things, without a call that a filter sees.
 */

interface Calls {
  /** AUDIT_ARCH_* of the kernel's headers. */
  architecture: number;
  refused: number[];
  socket: number;
  shmget: number;
  /** Numbers from here on call the kernel in another way, which the filter doesn't know. */
  foreignFrom?: number;
}

/**
 * add_key, request_key, keyctl, memfd_create, memfd_secret, io_uring_setup, io_uring_enter, io_uring_register. Numbers:
 * the kernel's syscall tables.
 */
const callsOf: Partial<Record<NodeJS.Architecture, Calls>> = {
  x64: {
    architecture: 0xc000003e,
    refused: [248, 249, 250, 319, 447, 425, 426, 427],
    socket: 41,
    shmget: 29,
    foreignFrom: 0x40000000,
  },
  arm64: { architecture: 0xc00000b7, refused: [217, 218, 219, 279, 447, 425, 426, 427], socket: 198, shmget: 194 },
};

const vsockFamily = 40;
/** A small limit, because shared memory that no process has attached isn't counted. */
const maxSharedSegmentBytes = 64 * 1024;

const [noSuchCall, noSuchFamily, badValue] = [38, 97, 22];
const allow = 0x7fff0000;
const refuseWith = (errno: number): number => 0x00050000 | errno;

/** Instructions of classic BPF. */
const [load, ifEqual, ifAtLeast, ifGreater, give] = [0x20, 0x15, 0x35, 0x25, 0x06];
const [numberAt, architectureAt, argumentsAt] = [0, 4, 16];

type Instruction =
  [code: number, value: number, whenTrue?: string | undefined, whenFalse?: string | undefined] | { label: string };

/**
 * The filter for a processor. @throws Error if it isn't written for that processor: a sandbox without it is not safe
 */
export function systemCallFilter(processor: NodeJS.Architecture = process.arch): Buffer {
  const calls = callsOf[processor];
  if (!calls)
    throw new Error(
      `Sandboxes need a processor of type ${Object.keys(callsOf).join(' or ')}, but this machine is ${processor}`,
    );
  return assemble([
    [load, architectureAt],
    [ifEqual, calls.architecture, undefined, 'no such call'],
    [load, numberAt],
    ...(calls.foreignFrom === undefined ? [] : [[ifAtLeast, calls.foreignFrom, 'no such call'] satisfies Instruction]),
    ...calls.refused.map((number): Instruction => [ifEqual, number, 'no such call']),
    [ifEqual, calls.socket, 'socket'],
    [ifEqual, calls.shmget, 'shmget'],
    { label: 'allow' },
    [give, allow],
    { label: 'socket' },
    [load, argumentsAt],
    [ifEqual, vsockFamily, undefined, 'allow again'],
    [give, refuseWith(noSuchFamily)],
    { label: 'shmget' },
    [load, argumentsAt + 8],
    [ifGreater, maxSharedSegmentBytes, 'bad value'],
    [load, argumentsAt + 12],
    [ifGreater, 0, 'bad value'],
    { label: 'allow again' },
    [give, allow],
    { label: 'bad value' },
    [give, refuseWith(badValue)],
    { label: 'no such call' },
    [give, refuseWith(noSuchCall)],
  ]);
}

/** Assembles the program. Jumps only go forward, so a label comes after its users. */
function assemble(program: Instruction[]): Buffer {
  const places = new Map<string, number>();
  const instructions: Exclude<Instruction, { label: string }>[] = [];
  for (const part of program) {
    if ('label' in part) places.set(part.label, instructions.length);
    else instructions.push(part);
  }
  const filter = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, value, whenTrue, whenFalse]] of instructions.entries()) {
    const jump = (label: string | undefined): number =>
      label === undefined ? 0 : (places.get(label) ?? Number.NaN) - index - 1;
    filter.writeUInt16LE(code, index * 8);
    filter.writeUInt8(jump(whenTrue), index * 8 + 2);
    filter.writeUInt8(jump(whenFalse), index * 8 + 3);
    filter.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return filter;
}
