import assert from 'node:assert/strict';
import { isBuiltin } from 'node:module';
import { describe, it } from 'vitest';
import { z } from 'zod';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { root } from './sources.ts';

/** Every workflow worker compiles it at its start; zod, CEL and Temporal's own code are nearly all of it. */
const maxBundleBytes = 1_700_000;

/** What workflow code may bring from outside: no clock, no chance, no input or output. */
const allowedPackages = [
  '@marcbachmann/cel-js',
  '@temporalio/common',
  '@temporalio/workflow',
  'long',
  'ms',
  'nexus-rpc',
  'zod',
];
const allowedParts = ['agent', 'artifacts', 'base', 'blueprints', 'evidence', 'model', 'workflows'];

describe('the bundle of the workflows', async () => {
  const { code } = await bundleWorkflows(process.env);
  const mapAt = code.lastIndexOf('//# sourceMappingURL=');
  const map: unknown = JSON.parse(
    Buffer.from(code.slice(code.indexOf('base64,', mapAt) + 'base64,'.length), 'base64').toString(),
  );
  const { sources } = z.object({ sources: z.array(z.string()) }).parse(map);
  const packages = [
    ...new Set(sources.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])),
  ].toSorted();

  it('contains only packages that are deterministic', () => {
    assert.deepEqual(packages, allowedPackages);
  });

  it('contains no module of Node', () => {
    const required = [...code.slice(0, mapAt).matchAll(/\brequire\(\\?["']([^"'\\]+)\\?["']\)/g)].map(
      ([, name = '']) => name,
    );
    assert.deepEqual(
      required.filter((name) => isBuiltin(name) && name !== 'assert'),
      [],
    );
    assert.deepEqual(
      sources.filter((path) => path.startsWith('external ')),
      [],
    );
  });

  it('contains no part that acts on the outside', () => {
    const own = sources
      .filter((path) => path.startsWith(root) && !path.includes('/node_modules/'))
      .map((path) => path.slice(root.length + 1).split('/')[0] ?? '');
    assert.deepEqual(
      [...new Set(own)].filter((part) => !allowedParts.includes(part)),
      [],
    );
    assert.ok(own.length > 30, `only ${own.length} files of ours were seen`);
  });

  it(`has at most ${maxBundleBytes} bytes`, () => {
    assert.ok(mapAt > 0 && mapAt <= maxBundleBytes, `${mapAt} bytes`);
  });
});
