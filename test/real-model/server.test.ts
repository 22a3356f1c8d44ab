import assert from 'node:assert/strict';
import { test } from 'vitest';
import { z } from 'zod';
import { findMissingBuildTool } from './server-program.ts';
import { ensureModelServer } from './server.ts';

const missing = await findMissingBuildTool();
const Answer = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });

test(
  'the real model’s answer fits a JSON Schema, and its server is gone after it was stopped',
  { skip: missing !== undefined },
  async () => {
    const server = await ensureModelServer();
    const schema = { type: 'object', properties: { city: { enum: ['Paris', 'Rome'] } }, required: ['city'] };
    const ask = () =>
      fetch(`${server.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: server.model,
          temperature: 0,
          messages: [{ role: 'user', content: 'The capital of France?' }],
          response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
        }),
      });
    try {
      const answer = Answer.parse(await (await ask()).json());
      assert.deepEqual(JSON.parse(answer.choices[0]?.message.content ?? ''), { city: 'Paris' });
    } finally {
      await server.stop();
    }
    await assert.rejects(ask());
  },
);
