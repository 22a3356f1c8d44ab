import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ServiceError } from '@temporalio/client';
import { translate } from '../../client/translate.ts';

/** As gRPC tells it, and Temporal's client wraps it. */
function failedCall(code: number, details: string): ServiceError {
  return new ServiceError('Failed to query Workflow', {
    cause: Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} }),
  });
}

test('a query that timed out means that no worker answered, whether the client or the server noticed it first', async () => {
  for (const error of [
    failedCall(4, 'Deadline exceeded after 1.001s'),
    failedCall(4, 'query timed out before a worker could process it'),
    failedCall(1, 'Call cancelled'),
  ]) {
    await assert.rejects(
      translate({ runId: 'run/1' }, () => Promise.reject(error)),
      { code: 'temporal-unreachable', message: /No worker/ },
    );
  }
});
