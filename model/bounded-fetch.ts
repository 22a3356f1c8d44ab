/** A `fetch` with a limit on the size of answers. */
import { ModelFailure } from './contract.ts';

/** The most bytes of one answer on the wire. Each token of a stream comes with some hundred bytes around it. */
export const maxWireBytes = 64 * 1024 * 1024;

/** A `fetch` whose body fails with a ModelFailure after `maxBytes`. */
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
    return new Response(response.body.pipeThrough(counter), response);
  };
}
