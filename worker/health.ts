/** Serves one worker's health and Prometheus metrics over HTTP. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  /** Ended activities, by name and outcome. */
  activities: Histogram<'activity' | 'outcome'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'jig_' });
  return {
    registry,
    activities: new Histogram({
      name: 'jig_activity_seconds',
      help: 'Activities that ended, by name and outcome',
      labelNames: ['activity', 'outcome'],
      buckets: [0.01, 0.1, 1, 10, 60, 600],
      registers: [registry],
    }),
  };
}

/** Serves `/healthz` (503 once the worker drains) and `/metrics`. */
export async function serveHealth(
  { registry }: Metrics,
  port: number,
  isHealthy: () => boolean,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz')
      response
        .writeHead(isHealthy() ? 200 : 503, { 'content-type': 'text/plain' })
        .end(isHealthy() ? 'ok\n' : 'draining\n');
    else if (request.url === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else response.writeHead(404).end();
  });
  server.requestTimeout = 5000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const bound = address !== null && typeof address === 'object' ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
