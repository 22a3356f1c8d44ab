import assert from 'node:assert/strict';
import { test } from 'vitest';
import { chooseModel } from '../../model/choose-model.ts';
import { findPreset, presets } from '../../model/presets.ts';

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

test('a preset is enough where a model is named, and the environment goes before the configuration', () => {
  const model = chooseModel({ env: { JIG_MODEL_PRESET: 'ollama', JIG_MODEL: 'qwen' }, config: { preset: 'azure' } });
  assert.deepEqual([model.source, model.name], ['live', 'qwen']);
});

test('a preset without an address of its own needs one', () => {
  assert.throws(() => chooseModel({ env: { JIG_MODEL_PRESET: 'azure', OPENAI_API_KEY: 'k', JIG_MODEL: 'm' } }), {
    code: 'model-not-configured',
    message: /OPENAI_BASE_URL/,
  });
});

test('an unknown preset is refused with the names of those that are known', () => {
  assert.throws(() => chooseModel({ env: { JIG_MODEL_PRESET: 'oolama', JIG_MODEL: 'm' } }), {
    code: 'model-config-invalid',
    message: /"ollama"/,
  });
});

test('a server is known by its name or by its host, and never by a host that only looks alike', () => {
  assert.equal(findPreset('vllm', 'https://api.openai.com/v1')?.server, 'vLLM');
  assert.equal(findPreset(undefined, undefined)?.server, 'OpenAI');
  assert.equal(findPreset(undefined, 'https://acme.openai.azure.com/openai/v1')?.server, 'Azure OpenAI');
  assert.equal(findPreset(undefined, 'https://api.mistral.ai.example.org/v1'), undefined);
  assert.equal(findPreset(undefined, 'http://127.0.0.1:8080/v1'), undefined);
});

for (const [name, preset] of Object.entries(presets))
  test(`the preset ${name} names its source, and an address that is one`, () => {
    assert.equal(new URL(preset.source).protocol, 'https:');
    if (preset.baseUrl !== undefined) {
      const { hostname } = new URL(preset.baseUrl);
      assert.ok(hostname === '127.0.0.1' || hostname === preset.host);
    }
  });
