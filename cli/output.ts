/**
 * Writes to the terminal: results to standard output, everything else to standard error. Control characters of
 * untrusted text become visible.
 */
import { styleText } from 'node:util';

type Color = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (color: Color, text: string) => string;

/** Whether to use colours: only on a terminal. `NO_COLOR` turns them off, `FORCE_COLOR` turns them on. */
export function hasColors(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

export function createPaint(colors: boolean): Paint {
  return colors ? (color, text) => styleText(color, text, { validateStream: false }) : (_, text) => text;
}

export const paintOut = createPaint(hasColors(process.stdout));
export const paintErr = createPaint(hasColors(process.stderr));

/** Prints a result and a line end to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Prints progress and remarks to standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Makes control and direction-changing characters of untrusted text visible. Line breaks stay. */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\r' ? '' : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Like {@link printable}, but on one line of at most `maxLength` characters. */
export function oneLine(text: string, maxLength = 200): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim());
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}

/** Aligns the columns of rows. The last column is not padded. */
export function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A cost for people: four decimals below one dollar, else two. */
export function dollars(costUsd: number): string {
  return `$${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`;
}
