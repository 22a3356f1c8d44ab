import { printable, type Paint } from './output.ts';

/**
 * Renders a patch for the terminal: coloured by line, with control characters visible, at most `maxLines` long. A CR in
 * a changed line is shown as git shows it, so that a change of line ends is seen.
 */
export function renderDiff(
  patch: string,
  { paint, maxLines = Number.POSITIVE_INFINITY }: { paint: Paint; maxLines?: number },
): string {
  const lines = patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => printable(/^[+-]/.test(line) ? line.replaceAll('\r', '^M') : line));
  const shown = lines.slice(0, maxLines).map((line) => {
    if (line.startsWith('diff ') || line.startsWith('+++ ') || line.startsWith('--- ')) return paint('bold', line);
    if (line.startsWith('@@')) return paint('cyan', line);
    if (line.startsWith('+')) return paint('green', line);
    return line.startsWith('-') ? paint('red', line) : line;
  });
  return lines.length > maxLines
    ? [...shown, paint('dim', `… ${lines.length - maxLines} more lines`)].join('\n')
    : shown.join('\n');
}
