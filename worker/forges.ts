/** The code hosts of the configuration. Each has its secret in the environment or in a file. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import type { Forge } from '../forge/contract.ts';
import { createGiteaForge } from '../forge/gitea/gitea-forge.ts';

const GiteaConfig = z.strictObject({
  kind: z.literal('gitea').describe('A Gitea server'),
  url: z.string().describe('Its address, such as `https://git.example.com`'),
  tokenEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .default('JIG_GITEA_TOKEN')
    .describe('The environment variable of the worker that holds the token'),
  tokenFile: z
    .string()
    .optional()
    .describe('A file that contains the token, read again for each request; overrides `tokenEnv`'),
  allowHttp: z
    .boolean()
    .default(false)
    .describe('Whether the token may travel unencrypted to a server that is not on this machine'),
  draftPrefix: z.string().min(1).max(20).default('WIP: ').describe('What the title of a draft begins with'),
});

const ForgeConfig = z.discriminatedUnion('kind', [GiteaConfig]);

/** Code hosts by their name in runs. `local` is the forge in the data folder. */
export const ForgesConfig = z.record(z.string().regex(/^(?!local$)[a-z][a-z0-9-]{0,31}$/), ForgeConfig);

export interface ConfiguredForges {
  forges: Forge[];
  /** The secrets to mask wherever text leaves the process. */
  secrets: string[];
}

/**
 * Connects to the configured code hosts. @throws JigError `config-invalid` if a secret is missing, or an address can't
 * be used safely
 */
export async function createForges(
  config: z.infer<typeof ForgesConfig>,
  env: NodeJS.ProcessEnv,
): Promise<ConfiguredForges> {
  const forges: Forge[] = [];
  const secrets: string[] = [];
  for (const [name, { kind: _, tokenEnv, tokenFile, ...options }] of Object.entries(config)) {
    const token = tokenOf(name, { tokenEnv, tokenFile }, env);
    secrets.push(await token());
    forges.push(createGiteaForge({ name, token, ...options }));
  }
  return { forges, secrets };
}

function tokenOf(
  forge: string,
  { tokenEnv, tokenFile }: { tokenEnv: string; tokenFile: string | undefined },
  env: NodeJS.ProcessEnv,
): () => Promise<string> {
  return async () => {
    const text = tokenFile === undefined ? env[tokenEnv] : await readFile(tokenFile, 'utf8').catch(() => undefined);
    const token = text?.trim() ?? '';
    // A header can't hold other characters, and a token of a few characters could not be masked.
    if (/^[\x21-\x7e]{8,}$/.test(token)) return token;
    throw new JigError(
      'config-invalid',
      `The forge ${forge} has no token: ${tokenFile === undefined ? `set ${tokenEnv}` : `${tokenFile} holds none`}`,
    );
  };
}
