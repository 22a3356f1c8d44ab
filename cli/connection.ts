/** Connects to the configured Temporal, or to that of a running `jig up`. */
import type { JigClient } from '../client/client.ts';
import { defaultDataDir } from '../client/up-record.ts';
import { openArtifacts } from './local-data.ts';

/** Runs `work` with a client, and closes the client. @throws JigError `temporal-unreachable` */
export async function withClient<Value>(work: (client: JigClient) => Promise<Value>): Promise<Value> {
  const { connectClient } = await import('../client/client.ts');
  const client = await connectClient({
    env: process.env,
    dataDir: defaultDataDir(process.env),
    keepFiles: async (bytes) => await (await openArtifacts()).put(bytes, 'application/json'),
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
