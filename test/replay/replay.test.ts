import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';

const folder = join(import.meta.dirname, '..', 'histories');

async function findHistories(): Promise<string[]> {
  const found = await readdir(folder, { recursive: true });
  return found.filter((name) => name.endsWith('.pb')).toSorted();
}

test('the interpreter replays every recorded history', async () => {
  const names = await findHistories();
  assert.ok(names.length >= 5, 'there are histories to replay');
  const workflowBundle = await bundleWorkflows(process.env);
  const histories = (async function* () {
    for (const name of names) {
      const history = proto.temporal.api.history.v1.History.decode(await readFile(join(folder, name)));
      yield { workflowId: history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name, history };
    }
  })();
  const failed: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  assert.deepEqual(failed, []);
});
