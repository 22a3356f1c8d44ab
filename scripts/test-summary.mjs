/** A reporter for node:test that writes nothing but the counts of a whole run, as JSON. */
export default async function* summary(events) {
  for await (const { type, data } of events) {
    if (type === 'test:summary' && data.file === undefined) yield `${JSON.stringify(data.counts)}\n`;
  }
}
