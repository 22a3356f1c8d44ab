/** Collects issues and turns places in a blueprint into lines and columns. */
import type { ErrorCode } from '../base/errors.ts';
import { type Issue, type KeyPath, pathText } from './issues.ts';
import type { Range, YamlText } from './yaml.ts';

/** Nobody reads more than this, and finding places takes time, which a hostile text could multiply. */
export const maxIssues = 200;

/** The issues of one check. It keeps at most {@link maxIssues}. */
export class Report {
  readonly issues: Issue[] = [];
  readonly warnings: Issue[] = [];
  private readonly file: string;
  private readonly text: string;
  private lineStarts: number[] | undefined;
  private yaml: YamlText | undefined;
  private readonly misspelt = new Map<string, string>();

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Gives the text in which paths are found from now on. */
  setYaml(yaml: YamlText): void {
    this.yaml = yaml;
  }

  /** Adds an issue at a place of the text. */
  addAt(range: Range, code: ErrorCode, message: string, path: KeyPath = [], hint?: string): void {
    if (this.isFull()) return;
    const [start, end] = [this.position(range.start), this.position(Math.max(range.start, range.end))];
    const place = {
      file: this.file,
      ...start,
      endLine: end.line,
      endColumn: end.column,
      path: pathText(this.asWritten(path)),
    };
    this.issues.push({ code, message, ...place, ...(hint === undefined ? {} : { hint }) });
  }

  /** Adds an issue about the value at a path, or about the nearest existing place above it. */
  add(path: KeyPath, code: ErrorCode, message: string, hint?: string): void {
    if (!this.isFull()) this.addAt(this.find(path), code, message, path, hint);
  }

  /** Adds a warning about the last key of a path. */
  warnKey(path: KeyPath, code: ErrorCode, message: string, hint?: string): void {
    const { issues } = this;
    const before = issues.length;
    this.addKey(path, code, message, hint);
    this.warnings.push(...issues.splice(before).map((issue): Issue => ({ ...issue, level: 'warning' })));
  }

  /** Adds an issue about the last key of a path. */
  addKey(path: KeyPath, code: ErrorCode, message: string, hint?: string): void {
    if (!this.isFull())
      this.addAt(this.yaml?.findKey(this.asWritten(path)) ?? this.find(path), code, message, path, hint);
  }

  /**
   * Adds an issue about a misspelt key of the map at a path. From then on paths use the corrected key, and are found
   * under the written one.
   */
  addMisspelt(
    path: KeyPath,
    { written, meant }: { written: string; meant: string },
    code: ErrorCode,
    message: string,
  ): void {
    this.addKey([...path, written], code, message, `did you mean \`${meant}\`?`);
    this.misspelt.set(pathText([...path, meant]), written);
  }

  /** The path with its keys as they are written in the text. */
  asWritten(path: KeyPath): KeyPath {
    if (this.misspelt.size === 0) return path;
    return path.map((key, index) => this.misspelt.get(pathText(path.slice(0, index + 1))) ?? key);
  }

  /** Adds an issue about a part of the text at a path: the place `offset` in occurrence number `nth` of `source`. */
  addIn(
    path: KeyPath,
    part: { source: string; nth: number; offset: number; length: number },
    code: ErrorCode,
    message: string,
    hint?: string,
  ): void {
    if (this.isFull()) return;
    const whole = this.find(path);
    let start = whole.start;
    for (let count = 0; count <= part.nth && start >= 0; count++)
      start = this.text.indexOf(part.source, count === 0 ? start : start + part.source.length);
    // A text with escapes or line folding isn't found literally. Then the whole value is the place.
    const isInside = start >= 0 && start + part.source.length <= whole.end;
    const range = isInside ? { start: start + part.offset, end: start + part.offset + part.length } : whole;
    this.addAt(range, code, message, path, hint);
  }

  line(path: KeyPath): number {
    return this.position(this.find(path).start).line;
  }

  /** All issues, sorted by place. */
  sorted(): Issue[] {
    return this.issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  /** Whether the limit is reached, so that further issues are left out. */
  isFull(): boolean {
    return this.issues.length >= maxIssues;
  }

  private find(meant: KeyPath): Range {
    const path = this.asWritten(meant);
    const value = this.yaml?.findValue(path);
    if (value) return value;
    for (let length = path.length; length > 0; length--) {
      const key = this.yaml?.findKey(path.slice(0, length)) ?? this.yaml?.findValue(path.slice(0, length));
      if (key) return { start: key.start, end: this.lineEnd(key) };
    }
    return { start: 0, end: 0 };
  }

  private lineEnd(range: Range): number {
    const newline = this.text.indexOf('\n', range.start);
    return newline < 0 ? range.end : Math.min(range.end, newline);
  }

  private position(offset: number): { line: number; column: number } {
    const starts = (this.lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map(({ index }) => index + 1)]);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }
}
