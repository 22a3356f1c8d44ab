/** Keeps values of any size in pages that each fit into one payload. */
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { Json } from '../base/json.ts';
import { perform } from './perform.ts';

/** Characters of a page. Encoded as UTF-8 and escaped again, it stays well below Temporal's 2 MB. */
const pageCharacters = 200_000;
const pagesAtOnce = 4;

/** Keeps a value as one artifact. */
export async function keepLarge(value: unknown, summary: string): Promise<ArtifactRef> {
  const text = JSON.stringify(value);
  if (text.length <= pageCharacters) {
    const small: Json = JSON.parse(text);
    return perform('keepValue', { value: small }, { summary });
  }
  return perform('joinPages', { pages: await keepPages(text, summary) }, { summary });
}

/** Keeps a value so that workflow code can read it back. */
export function keepInPages(value: unknown, summary: string): Promise<ArtifactRef[]> {
  return keepPages(JSON.stringify(value), summary);
}

/** Loads the value that {@link keepInPages} kept. */
export async function loadPages(pages: ArtifactRef[], summary: string): Promise<Json> {
  return fromPages(await inOrder(pages, (page) => perform('loadValue', page, { summary })));
}

/** Cuts a text into pages. */
export function toPages(text: string): string[] {
  const count = Math.ceil(text.length / pageCharacters);
  return Array.from({ length: count }, (_, page) => text.slice(page * pageCharacters, (page + 1) * pageCharacters));
}

/** The value whose JSON text was cut into these pages. @throws Error if they aren't the pages of one */
export function fromPages(pages: Json[]): Json {
  const texts = pages.map((page) => {
    if (typeof page !== 'string') throw new Error('one of its pages is not a text');
    return page;
  });
  const value: Json = JSON.parse(texts.join(''));
  return value;
}

function keepPages(text: string, summary: string): Promise<ArtifactRef[]> {
  return inOrder(toPages(text), (page) => perform('keepValue', { value: page }, { summary }));
}

/**
 * Does the work for a few items at a time, so that a large value doesn't fill the queue. Results keep the order of the
 * items.
 */
async function inOrder<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += pagesAtOnce)
    results.push(...(await Promise.all(items.slice(start, start + pagesAtOnce).map(work))));
  return results;
}
