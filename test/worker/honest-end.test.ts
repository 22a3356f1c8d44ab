import assert from 'node:assert/strict';
import { test } from 'vitest';
import { z } from 'zod';
import { bundle } from '../../worker/workflow-bundle.ts';
import { createWorld } from '../e2e/harness.ts';

const code = await bundle('test/worker/other-workflows/faulty.ts');
const step = 'steps:\n  - id: STEP\n    run: echo hello\n';

for (const [place, blueprint] of Object.entries({
  'in a step': `blueprint: v1\nname: faulty-step\n${step.replace('STEP', 'faulty')}`,
  'at the end': `blueprint: v1\nname: faulty-end\n${step.replace('STEP', 'sound')}`,
}))
  test(`an unexpected error ${place} ends the run with evidence, and leaves no sandbox`, async () => {
    await using world = await createWorld({ bundle: { code } });
    await world.addRepository('acme/api', { 'a.txt': 'a\n' });
    const { end, state } = await world.run(blueprint);
    assert.deepEqual([end.outcome, end.code], ['failed', 'internal-error']);
    assert.match(end.reason, /nobody foresaw/);
    assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
    assert.ok(state.evidence, 'there is evidence');
    const evidence = z
      .looseObject({})
      .parse(JSON.parse(Buffer.from(await world.parts.artifacts.get(state.evidence)).toString()));
    assert.match(JSON.stringify(evidence), /nobody foresaw/);
  });
