/** Checks a blueprint's bytes before they are read as YAML: their number, and that they are text. */
import type { ErrorCode } from '../base/errors.ts';

export const maxBlueprintBytes = 256 * 1024;

/** Why the bytes can't be read at all. */
export interface TextProblem {
  code: ErrorCode;
  message: string;
  line: number;
}

/** Decodes the text and checks its size. A byte order mark is dropped. Never throws. */
export function checkText(source: string | Uint8Array): { text: string } | { problem: TextProblem } {
  const sizeBytes = typeof source === 'string' ? byteLength(source) : source.byteLength;
  if (sizeBytes > maxBlueprintBytes) {
    return {
      problem: {
        code: 'blueprint-too-large',
        message: `a blueprint has at most ${maxBlueprintBytes} bytes; this one has ${sizeBytes}`,
        line: 1,
      },
    };
  }
  const decoded = typeof source === 'string' ? { text: source.replace(/^\uFEFF/, '') } : decode(source);
  if ('problem' in decoded) return decoded;
  const { text } = decoded;
  const nul = text.indexOf('\0');
  if (nul >= 0)
    return {
      problem: {
        code: 'blueprint-not-text',
        message: 'the text contains a NUL character',
        line: text.slice(0, nul).split('\n').length,
      },
    };
  return { text };
}

function byteLength(text: string): number {
  // A text with more UTF-16 units than the limit also has more bytes, so a huge one is never encoded.
  return text.length > maxBlueprintBytes ? text.length : new TextEncoder().encode(text).byteLength;
}

function decode(bytes: Uint8Array): { text: string } | { problem: TextProblem } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return {
      problem: { code: 'blueprint-not-text', message: 'the text is not valid UTF-8', line: lineOfInvalidByte(bytes) },
    };
  }
}

/**
 * The line of the first invalid byte. A line break byte is never part of a longer UTF-8 sequence, so each line can be
 * decoded separately.
 */
function lineOfInvalidByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const next = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(start, next));
    } catch {
      return line;
    }
    start = next;
  }
  return line;
}
