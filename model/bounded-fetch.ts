/** A `fetch` with a limit on the size of answers, and with errors in one form. */
import { ModelFailure } from './contract.ts';
import { parseServerError } from './error-body.ts';

/** The most bytes of one answer on the wire. Each token of a stream comes with some hundred bytes around it. */
export const maxWireBytes = 64 * 1024 * 1024;

/** How much of an error is kept that isn't JSON, such as a gateway's page. */
const maxErrorChars = 500;

/**
 * A `fetch` whose body fails with a ModelFailure after `maxBytes`. The body of an error is `{ error: { message, … } }`,
 * whatever the server sent.
 */
export function createBoundedFetch(maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    let seenBytes = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        seenBytes += chunk.byteLength;
        if (seenBytes <= maxBytes) controller.enqueue(chunk);
        else
          controller.error(
            new ModelFailure('model-nonsense', `the model's server sent more than ${maxBytes} bytes for one answer`, {
              retryable: true,
            }),
          );
      },
    });
    const bounded = new Response(response.body.pipeThrough(counter), response);
    return response.ok ? bounded : withReadableError(bounded);
  };
}

async function withReadableError(response: Response): Promise<Response> {
  const body = await response.text();
  const error = parseServerError(body) ?? { message: body.trim().slice(0, maxErrorChars) };
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding']) headers.delete(name);
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify({ error }), { status: response.status, headers });
}
