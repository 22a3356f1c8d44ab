/** Removes from a text what differs between two runs of the same thing: times, temporary paths, addresses. */
export function normaliseText(text: string): string {
  return text
    .replaceAll(/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>')
    .replaceAll(/\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|sec|secs|seconds?|minutes?)\b/g, '<duration>')
    .replaceAll(
      /(?:\/private)?(?:\/var\/tmp|\/tmp|\/var\/folders|\/dev\/shm)\/[^\s'":,;)\]}>]{1,500}/g,
      '<temporary path>',
    )
    .replaceAll(/\b0x[0-9a-fA-F]{4,16}\b/g, '<address>');
}
