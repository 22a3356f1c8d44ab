/**
 * Chooses the model. A worker without one still does everything that needs none; a question fails with what to
 * configure.
 */
import { JigError } from '../base/errors.ts';
import type { Model } from '../model/contract.ts';

export function useNoModelIfUnset(choose: () => Model): Model {
  try {
    return choose();
  } catch (error) {
    if (!(error instanceof JigError) || error.code !== 'model-not-configured') throw error;
    return {
      source: 'live',
      name: 'none',
      protocol: 'native',
      contextTokens: 128_000,
      answerTokens: 4096,
      isPriced: () => true,
      ask: () => Promise.reject(error),
    };
  }
}
