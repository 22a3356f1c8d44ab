/** Chooses the model from an installation's environment and configuration. */
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import type { Model } from './contract.ts';
import { createOpenAiModel } from './openai.ts';
import { findPreset, PresetName } from './presets.ts';
import { PriceTable } from './prices.ts';
import { createRecordedModel, type Recording } from './recorded.ts';

export const ModelConfig = z.strictObject({
  name: z.string().min(1).max(200).optional().describe('The model; `JIG_MODEL` overrides it'),
  preset: PresetName.optional().describe(
    'A server that Jig knows ([list](model-presets.md)); by default, the one of `baseUrl`. `JIG_MODEL_PRESET` overrides it',
  ),
  baseUrl: z
    .url()
    .optional()
    .describe(
      "The address of a server that speaks the OpenAI protocol; by default, the preset's. `OPENAI_BASE_URL` overrides it",
    ),
  protocol: z
    .enum(['auto', 'native', 'json', 'text'])
    .default('auto')
    .describe(
      'How the model calls tools. `native`: through the API; calls that it writes as text are understood too. `auto`: as `native`, or as `json` if the server refuses tools. `json`: as constrained JSON. `text`: as text, and no `prompt` asks for constrained JSON either. `JIG_MODEL_PROTOCOL` overrides it',
    ),
  contextTokens: z
    .number()
    .int()
    .min(1024)
    .default(128_000)
    .describe(
      'How many tokens the model can read; Jig shortens a conversation before it gets longer. `JIG_MODEL_CONTEXT_TOKENS` overrides it',
    ),
  answerTokens: z
    .number()
    .int()
    .min(256)
    .default(16_384)
    .describe(
      'How many tokens the model may write in one answer, including its thinking; at most a quarter of `contextTokens` is used. `JIG_MODEL_ANSWER_TOKENS` overrides it',
    ),
  timeoutMs: z.number().int().min(1000).default(300_000).describe('How long one answer may take'),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .describe(
      "The sampling temperature; by default, the server's own. A small model works best at 0. `JIG_MODEL_TEMPERATURE` overrides it",
    ),
  refuseUnpriced: z
    .boolean()
    .default(false)
    .describe(
      'If true, a run whose blueprint sets `budget.usd` fails before it asks a model with an unknown price. If false, it goes on without that limit',
    ),
  prices: PriceTable.optional().describe(
    "Prices by the beginning of a model's name, in addition to the ones that Jig knows",
  ),
});
export type ModelConfig = z.infer<typeof ModelConfig>;
type ModelConfigInput = z.input<typeof ModelConfig>;

export interface ModelChoice {
  env: Record<string, string | undefined>;
  config?: ModelConfigInput;
  /** A recording that answers in place of a live model. */
  recording?: Recording;
}

/**
 * Chooses the model: a recording if one is given, else the server of `OPENAI_BASE_URL`, `JIG_MODEL_PRESET` or
 * `OPENAI_API_KEY` with the model of `JIG_MODEL`. The environment overrides the configuration.
 * @throws JigError `model-not-configured`, `model-config-invalid`
 */
export function chooseModel({ env, config, recording }: ModelChoice): Model {
  if (recording) return createRecordedModel(recording);
  const settings = parseConfig(env, config);
  const apiKey = env.OPENAI_API_KEY || undefined;
  const preset = findPreset(settings.preset, settings.baseUrl);
  const baseUrl = settings.baseUrl ?? (settings.preset && preset?.baseUrl);
  if (!apiKey && !baseUrl) {
    throw new JigError(
      'model-not-configured',
      'No model is configured: neither OPENAI_API_KEY nor OPENAI_BASE_URL is set',
    );
  }
  if (settings.preset && !baseUrl) {
    throw new JigError('model-not-configured', `The preset ${settings.preset} has no address: set OPENAI_BASE_URL`);
  }
  if (!settings.name) {
    throw new JigError('model-not-configured', 'No model is named: set JIG_MODEL', {
      hint: 'For example: JIG_MODEL=gpt-5-mini',
    });
  }
  return createOpenAiModel({
    name: settings.name,
    protocol: settings.protocol,
    contextTokens: settings.contextTokens,
    answerTokens: settings.answerTokens,
    timeoutMs: settings.timeoutMs,
    ...(apiKey ? { apiKey } : {}),
    ...(preset ? { dialect: preset.dialect } : {}),
    ...(baseUrl ? { baseUrl } : {}),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.prices ? { prices: settings.prices } : {}),
  });
}

function parseConfig(env: ModelChoice['env'], config: ModelConfigInput | undefined): ModelConfig {
  const parsed = ModelConfig.safeParse({
    ...config,
    ...(env.JIG_MODEL ? { name: env.JIG_MODEL } : {}),
    ...(env.JIG_MODEL_PRESET ? { preset: env.JIG_MODEL_PRESET } : {}),
    ...(env.OPENAI_BASE_URL ? { baseUrl: env.OPENAI_BASE_URL } : {}),
    ...(env.JIG_MODEL_PROTOCOL ? { protocol: env.JIG_MODEL_PROTOCOL } : {}),
    ...(env.JIG_MODEL_TEMPERATURE ? { temperature: Number(env.JIG_MODEL_TEMPERATURE) } : {}),
    ...(env.JIG_MODEL_ANSWER_TOKENS ? { answerTokens: Number(env.JIG_MODEL_ANSWER_TOKENS) } : {}),
    ...(env.JIG_MODEL_CONTEXT_TOKENS ? { contextTokens: Number(env.JIG_MODEL_CONTEXT_TOKENS) } : {}),
  });
  if (parsed.success) return parsed.data;
  throw new JigError('model-config-invalid', `The model's configuration is wrong: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}
