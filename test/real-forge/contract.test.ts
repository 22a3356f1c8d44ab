import { test } from 'vitest';
import { forgeContract } from '../forge/contract.ts';
import { createGiteaFixture } from './gitea-fixture.ts';
import { findMissingBuildTool } from './gitea-program.ts';

const missing = await findMissingBuildTool();

// Pages of three, so that every list has several.
if (missing === undefined)
  forgeContract('a real Gitea', () => createGiteaFixture({ settings: '[api]\nMAX_RESPONSE_ITEMS = 3' }));
else test('the forge contract: a real Gitea', { skip: missing !== undefined }, () => undefined);
