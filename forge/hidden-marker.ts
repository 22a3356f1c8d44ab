/**
 * The hidden marker by which a change or a comment is found again: an HTML comment at the start of its text, which no
 * host shows. Neutralised text never contains such a comment, so no text can pass as another run's.
 */
import { createHash } from 'node:crypto';

const anyMarker = /^<!-- jig:[0-9a-f]{32} -->(?:\r?\n){0,2}/;

function hidden(marker: string): string {
  return `<!-- jig:${createHash('sha256').update(marker).digest('hex').slice(0, 32)} -->`;
}

/** The text with the marker in front of it. */
export function withMarker(marker: string, text: string): string {
  return `${hidden(marker)}\n\n${text}`;
}

/** Whether the text begins with this marker. */
export function carriesMarker(marker: string, text: string): boolean {
  return text.startsWith(hidden(marker));
}

/** The text without its marker, if it has one. */
export function withoutMarker(text: string): string {
  return text.replace(anyMarker, '');
}
