/** Reads what test runners wrote: how many tests there are, how they ended, and what failed. */
import { stripVTControlCharacters } from 'node:util';
import { cargo, ctest, dotnet, nextest } from './runners/compiled.ts';
import { go, goJson, gotestsum } from './runners/go.ts';
import { jasmine, jest, karma, mocha, nodeTest, vitest } from './runners/javascript.ts';
import { gradle, maven } from './runners/jvm.ts';
import { pytest, unittest } from './runners/python.ts';
import { minitest, phpunit, rspec } from './runners/ruby-and-php.ts';
import { together, type Reading, type Runner } from './runners/runner.ts';
import { prove, tap } from './runners/tap.ts';

/** Every runner whose output is understood. */
export const runners: readonly Runner[] = [
  pytest,
  unittest,
  jest,
  vitest,
  mocha,
  nodeTest,
  jasmine,
  karma,
  gotestsum,
  goJson,
  go,
  nextest,
  cargo,
  maven,
  gradle,
  ctest,
  rspec,
  minitest,
  phpunit,
  dotnet,
  prove,
  tap,
];

/** A longer line is no runner's summary. */
const maxLineCharacters = 4000;

/**
 * Reads the streams of one command. All summaries of all runners are added up, because one command often runs several.
 * Undefined if no runner is recognized.
 */
export function readTests(streams: readonly string[]): Reading | undefined {
  return together(streams.flatMap(readStream));
}

function readStream(stream: string): Reading[] {
  const lines = linesOf(stream);
  const found = runners.flatMap((runner) => {
    const reading = runner.read(lines);
    return reading ? [{ runner, reading }] : [];
  });
  const within = new Set(found.flatMap(({ runner }) => runner.over ?? []));
  return found.filter(({ runner }) => !within.has(runner.name)).map(({ reading }) => reading);
}

/** The lines as a terminal would show them in the end: without ANSI sequences, and what `\r` overwrites left out. */
function linesOf(stream: string): string[] {
  return stripVTControlCharacters(stream)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .map((line) => (line.length > maxLineCharacters ? '' : line.trimEnd()));
}
