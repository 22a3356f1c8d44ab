import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorPages } from '../../base/errors.ts';
import { modelFailureKinds } from '../../model/contract.ts';
import { commandEndings } from '../../sandbox/contract.ts';
import { productSources } from './sources.ts';

/** Where a literal is the code of a failure that people meet. What is typed as an ErrorCode is held by the compiler. */
const codes = [
  /ApplicationFailure\.(?:nonRetryable|retryable)\((?:[^;]*?), '([a-z-]+)'\)/gs,
  /\btype: '([a-z]+-[a-z-]+)'/g,
  /\bfailure\(text, '([a-z-]+)'/g,
  /\b(?:StepFailed|refuse)\('([a-z-]+)'/g,
  /\bcode: '([a-z-]+)'/g,
  /\bcode: [^,'\n]+\? '([a-z-]+)'/g,
  /\bcode: [^,\n]+ : '([a-z-]+)'/g,
  /\?\? '([a-z]+-[a-z-]+)'/g,
  /mustSucceed\(.*, '([a-z-]+)'\)/g,
];

/** Codes that are made of a family and a kind. */
const families = [
  ...modelFailureKinds.map((kind) => `model-${kind}`),
  ...commandEndings.filter((ending) => ending !== 'exited').map((ending) => `command-${ending}`),
];

/** What looks like a code and is none: the labels of other things. */
const others = new Set(['tool-calls', 'jig-model']);

const pages = new Set(Object.keys(errorPages));
const found = new Map(
  productSources
    .filter(({ path }) => /^(workflows|activities|worker|client|cli|agent)\//.test(path))
    .flatMap(({ path, text }) =>
      codes.flatMap((code) => [...text.matchAll(code)].map(([, name = '']): [string, string] => [name, path])),
    )
    .filter(([name]) => !others.has(name)),
);

describe('error codes', () => {
  it('that the source names each have a page', () => {
    assert.ok(found.size >= 35, `only ${found.size} codes were read`);
    assert.deepEqual(
      [...found].filter(([name]) => !pages.has(name)).map(([name, path]) => `${path}: ${name}`),
      [],
    );
  });

  it('of models and commands each have a page', () => {
    assert.deepEqual(
      families.filter((name) => !pages.has(name)),
      [],
    );
  });

  it('with a page are each used', () => {
    const source = productSources
      .filter(({ path }) => !/^base\/([a-z-]+-)?errors\.ts$/.test(path))
      .map(({ text }) => text)
      .join('\n');
    const made = new Set([
      ...families,
      ...['not-found', 'moved', 'unauthorized', 'unavailable', 'conflict', 'refused'].map((kind) => `forge-${kind}`),
    ]);
    assert.deepEqual(
      [...pages].filter((name) => !made.has(name) && !source.includes(`'${name}'`)),
      [],
    );
  });
});
