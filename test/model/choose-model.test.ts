import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseModel } from '../../model/choose-model.ts';

test('a base URL is enough where a model is named: a server of one\'s own needs no key', () => {
  const model = chooseModel({ env: { OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1', JIG_MODEL: 'qwen', JIG_MODEL_PROTOCOL: 'json' } });
  assert.deepEqual([model.source, model.name, model.protocol], ['live', 'qwen', 'json']);
});

test('the environment goes before the configuration', () => {
  const model = chooseModel({ env: { OPENAI_API_KEY: 'k', JIG_MODEL: 'gpt-5' }, config: { name: 'gpt-4o', contextTokens: 4096 } });
  assert.deepEqual([model.name, model.contextTokens, model.protocol], ['gpt-5', 4096, 'native']);
});

test('without a key and a base URL no model is configured', () => {
  assert.throws(() => chooseModel({ env: { JIG_MODEL: 'gpt-5' } }), { code: 'model-not-configured' });
});

test('without a name no model is configured', () => {
  assert.throws(() => chooseModel({ env: { OPENAI_API_KEY: 'k' } }), { code: 'model-not-configured' });
});

test('a protocol that does not exist is refused', () => {
  assert.throws(() => chooseModel({ env: { OPENAI_API_KEY: 'k', JIG_MODEL: 'm', JIG_MODEL_PROTOCOL: 'yaml' } }), { code: 'model-config-invalid' });
});
