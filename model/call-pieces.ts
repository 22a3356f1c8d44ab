/** Puts together the tool calls of an answer. Servers tell the calls apart by index, by id, by name, or not at all. */
import type { CallPiece } from './answer-chunk.ts';
import type { ToolCall } from './contract.ts';
import { ExtraFieldsBuilder } from './extra-fields.ts';

/** The most characters kept of one call's arguments, and the most calls kept of one answer. The rest is dropped. */
export const maxArgumentsChars = 256 * 1024;
const maxToolCalls = 256;
const maxNameChars = 200;

interface Call extends Omit<ToolCall, 'extra'> {
  extra: ExtraFieldsBuilder;
}

export class CallsBuilder {
  readonly #calls: Call[] = [];
  /** The call that began last under each of the server's indexes. */
  readonly #byIndex = new Map<number, Call>();
  #last: Call | undefined;

  add(piece: CallPiece): void {
    const call = this.#findCall(piece);
    const { id, index: _, type: __, function: said, ...extra } = piece;
    if (id) call.id = id;
    const name = said?.name ?? '';
    // A name that is sent again, with more of it or not, is the same name.
    call.name = (name.startsWith(call.name) ? name : call.name + name).slice(0, maxNameChars);
    // One character more than allowed, so that the parser of the call sees that it is too long.
    call.arguments += argumentsOf(piece).slice(0, Math.max(0, maxArgumentsChars + 1 - call.arguments.length));
    call.extra.add(extra);
  }

  build(): ToolCall[] {
    return this.#calls.map(({ extra, ...call }) => {
      const fields = extra.build();
      return { ...call, ...(fields && { extra: fields }) };
    });
  }

  #findCall(piece: CallPiece): Call {
    const { index } = piece;
    const known = index === undefined ? this.#last : this.#byIndex.get(index);
    const call = known && !beginsAnother(known, piece) ? known : this.#begin();
    if (index !== undefined) this.#byIndex.set(index, call);
    this.#last = call;
    return call;
  }

  #begin(): Call {
    const call = { id: `call_${this.#calls.length}`, name: '', arguments: '', extra: new ExtraFieldsBuilder() };
    // The calls beyond the limit are read, because their pieces must not be taken for pieces of others.
    if (this.#calls.length < maxToolCalls) this.#calls.push(call);
    return call;
  }
}

/** The arguments as text. Some servers send them as an object. */
function argumentsOf({ function: said }: CallPiece): string {
  const given = said?.arguments ?? '';
  if (typeof given === 'string') return given;
  // An empty object may only stand where the arguments will come.
  return Object.keys(given).length === 0 ? '' : JSON.stringify(given);
}

/**
 * Whether a piece begins another call, though its index doesn't say so. Only a piece with a name can. A name may come
 * in pieces, and may be sent again with each piece of the arguments.
 */
function beginsAnother(call: Call, piece: CallPiece): boolean {
  const { id, index } = piece;
  const name = piece.function?.name ?? '';
  if (name === '' || call.name === '') return false;
  const hasNewId = Boolean(id) && id !== call.id;
  if (name !== call.name && !(name.startsWith(call.name) && call.arguments === '' && !hasNewId))
    return hasNewId || index === undefined || call.arguments !== '';
  if (hasNewId) return call.arguments === '' || isWholeObject(call.arguments);
  const hasNoMark = !id && index === undefined;
  return isWholeObject(call.arguments) && (hasNoMark || argumentsOf(piece) !== '');
}

function isWholeObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
