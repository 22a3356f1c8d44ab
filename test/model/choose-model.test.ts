import assert from 'node:assert/strict';
import { test } from 'vitest';
import { chooseModel } from '../../model/choose-model.ts';

test("with a base URL and a model's name, no key is needed", () => {
  const model = chooseModel({
    env: { OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1', JIG_MODEL: 'qwen', JIG_MODEL_PROTOCOL: 'json' },
  });
  assert.deepEqual([model.source, model.name, model.protocol], ['live', 'qwen', 'json']);
});

test('the environment overrides the configuration', () => {
  const model = chooseModel({
    env: { OPENAI_API_KEY: 'k', JIG_MODEL: 'gpt-5' },
    config: { name: 'gpt-4o', contextTokens: 4096 },
  });
  assert.deepEqual([model.name, model.contextTokens, model.protocol], ['gpt-5', 4096, 'native']);
});

test('an answer is limited as configured, and to a quarter of what the model can read', () => {
  const boundOf = (env: Record<string, string>, answerTokens?: number): number =>
    chooseModel({
      env: { OPENAI_API_KEY: 'k', JIG_MODEL: 'm', ...env },
      config: { ...(answerTokens && { answerTokens }) },
    }).answerTokens;
  assert.equal(boundOf({}), 16_384);
  assert.equal(boundOf({}, 1000), 1000);
  assert.equal(boundOf({ JIG_MODEL_ANSWER_TOKENS: '500' }, 1000), 500);
  assert.equal(boundOf({ JIG_MODEL_CONTEXT_TOKENS: '8192' }), 2048);
  assert.throws(() => boundOf({ JIG_MODEL_ANSWER_TOKENS: 'many' }), { code: 'model-config-invalid' });
});

test('without a key and a base URL no model is configured', () => {
  assert.throws(() => chooseModel({ env: { JIG_MODEL: 'gpt-5' } }), { code: 'model-not-configured' });
});

test('without a name no model is configured', () => {
  assert.throws(() => chooseModel({ env: { OPENAI_API_KEY: 'k' } }), { code: 'model-not-configured' });
});

test('a protocol that does not exist is refused', () => {
  assert.throws(() => chooseModel({ env: { OPENAI_API_KEY: 'k', JIG_MODEL: 'm', JIG_MODEL_PROTOCOL: 'yaml' } }), {
    code: 'model-config-invalid',
  });
});
