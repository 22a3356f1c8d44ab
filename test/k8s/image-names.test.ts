import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isImageOf } from '../../k8s/provider.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const allowed: [image: string, allowed: string][] = [
  ['ghcr.io/acme/tools', 'ghcr.io/acme'],
  ['ghcr.io/acme/tools:1', 'ghcr.io/acme/'],
  ['ghcr.io/acme/tools:1', 'ghcr.io/acme/tools'],
  [`ghcr.io/acme/tools@${digest}`, 'ghcr.io/acme/tools'],
  [`ghcr.io/acme/tools:1@${digest}`, 'ghcr.io/acme/tools'],
  ['ghcr.io/acme/tools:1', 'ghcr.io/acme/tools:1'],
  ['localhost:5000/tools', 'localhost:5000'],
  ['node', 'node'],
];
const refused: [image: string, allowed: string][] = [
  ['ghcr.io/acme-evil/tools', 'ghcr.io/acme'],
  ['ghcr.io.evil.example/acme/tools', 'ghcr.io'],
  ['ghcr.io/acme/tools:10', 'ghcr.io/acme/tools:1'],
  ['localhost:5000/tools', 'localhost'],
  ['ghcr.io@evil.example/tools', 'ghcr.io'],
  ['node-evil', 'node'],
];

test.each(allowed)('%s is an image of %s', (image, name) => assert.ok(isImageOf(image, name)));
test.each(refused)('%s is no image of %s', (image, name) => assert.ok(!isImageOf(image, name)));
