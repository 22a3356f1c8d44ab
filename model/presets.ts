/**
 * What is known of servers that people use, by name. A preset is only a start: whatever it doesn't say, or says of
 * another release, is found out by asking.
 */
import { z } from 'zod';
import { commonDialect, type Dialect } from './dialect.ts';

export interface Preset {
  /** The server's own name. */
  server: string;
  /** Its usual address. Missing if each user has another. */
  baseUrl?: string;
  /** Addresses on this host, or on one below it, are this server's. */
  host?: string;
  dialect: Partial<Dialect>;
  /** What to know before it is used. */
  note: string;
  /** Where that is written. */
  source: string;
}

const newerLimitFirst: Partial<Dialect> = { answerLimits: commonDialect.answerLimits.toReversed() };

export const PresetName = z.enum([
  'azure',
  'deepseek',
  'gemini',
  'llama.cpp',
  'lm-studio',
  'mistral',
  'ollama',
  'openai',
  'openrouter',
  'sglang',
  'vllm',
]);
export type PresetName = z.infer<typeof PresetName>;

export const presets: Record<PresetName, Preset> = {
  azure: {
    server: 'Azure OpenAI',
    host: 'openai.azure.com',
    dialect: newerLimitFirst,
    note: 'Set the address, `https://RESOURCE.openai.azure.com/openai/v1`. The model is the name of your deployment.',
    source: 'https://learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle',
  },
  deepseek: {
    server: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com',
    host: 'api.deepseek.com',
    dialect: { answerFormats: ['json_object'] },
    note: 'A thinking model wants its `reasoning_content` back with its calls. Jig sends it.',
    source: 'https://api-docs.deepseek.com/guides/thinking_mode',
  },
  gemini: {
    server: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    host: 'generativelanguage.googleapis.com',
    dialect: {},
    note: 'Calls carry a `thought_signature`, which it wants back. Jig sends it.',
    source: 'https://ai.google.dev/gemini-api/docs/openai',
  },
  'llama.cpp': {
    server: 'llama.cpp’s `llama-server`',
    baseUrl: 'http://127.0.0.1:8080/v1',
    dialect: {},
    note: 'Start it with `--jinja` for tool calls, and give `-c` the length of the context.',
    source: 'https://github.com/ggml-org/llama.cpp/blob/master/docs/function-calling.md',
  },
  'lm-studio': {
    server: 'LM Studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    dialect: { answerFormats: ['json_schema'] },
    note: 'It constrains answers by a JSON Schema, and refuses `json_object`.',
    source: 'https://lmstudio.ai/docs/advanced/structured-output',
  },
  mistral: {
    server: 'Mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    host: 'api.mistral.ai',
    dialect: { userAfterTool: false },
    note: 'It refuses a user’s message right after a tool’s, so Jig lets the model speak between them.',
    source: 'https://github.com/BerriAI/litellm/issues/17761',
  },
  ollama: {
    server: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    dialect: {},
    note: 'The server has its own length of the context. Set `contextTokens` to the same.',
    source: 'https://docs.ollama.com/api/openai-compatibility',
  },
  openai: {
    server: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    host: 'api.openai.com',
    dialect: newerLimitFirst,
    note: 'The default.',
    source: 'https://platform.openai.com/docs/api-reference/chat/create',
  },
  openrouter: {
    server: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    host: 'openrouter.ai',
    dialect: {},
    note: 'It passes `reasoning_details` on to the provider behind it. Jig sends them back.',
    source: 'https://openrouter.ai/docs/guides/best-practices/reasoning-tokens',
  },
  sglang: {
    server: 'SGLang',
    baseUrl: 'http://127.0.0.1:30000/v1',
    dialect: {},
    note: 'Start it with `--tool-call-parser` for tool calls.',
    source: 'https://docs.sglang.io/docs/advanced_features/tool_parser.md',
  },
  vllm: {
    server: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    dialect: {},
    note: 'Start it with `--enable-auto-tool-choice` and `--tool-call-parser` for tool calls.',
    source: 'https://docs.vllm.ai/en/v0.8.1/serving/openai_compatible_server.html',
  },
};

/** The preset of this name, or else of the address's host. Without an address, it is OpenAI's. */
export function findPreset(name: PresetName | undefined, baseUrl: string | undefined): Preset | undefined {
  if (name !== undefined) return presets[name];
  if (baseUrl === undefined) return presets.openai;
  const { hostname } = new URL(baseUrl);
  return Object.values(presets).find(({ host }) => host !== undefined && `.${hostname}`.endsWith(`.${host}`));
}
