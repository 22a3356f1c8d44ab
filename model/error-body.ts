/** Reads why a server refused a request. Servers write it in many forms. */
import { z } from 'zod';

/** The error as the client's library reads it. */
export interface ServerError {
  message: string;
  code?: string | number;
  type?: string;
  param?: string;
}

const Text = z.string().min(1);
const Label = Text.optional().catch(undefined);

const Named = z.object({
  message: Text,
  code: z.union([Text, z.number()]).optional().catch(undefined),
  type: Label,
  param: Label,
  /** What a gateway was told by the server behind it. */
  metadata: z.object({ raw: Text }).optional().catch(undefined),
});

/** The fields that a framework found wrong. */
const Details = z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: Text }));

/** The error of a body; undefined if it holds none. */
export function parseServerError(body: string): ServerError | undefined {
  try {
    return findServerError(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/** The error that a server sent in place of an answer or of a piece of one; undefined if it is no error. */
export function findServerError(value: unknown): ServerError | undefined {
  if (Array.isArray(value)) return value.length > 0 ? findServerError(value[0]) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if ('error' in value && value.error) return readField(value.error) ?? { message: JSON.stringify(value.error) };
  if ('detail' in value) return readField(value.detail);
  // An answer may have a message too, but no choices.
  return 'choices' in value ? undefined : readField(value);
}

function readField(value: unknown): ServerError | undefined {
  if (typeof value === 'string') return { message: value };
  const details = Details.safeParse(value);
  if (details.success) return { message: details.data.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; ') };
  const named = Named.safeParse(value);
  if (!named.success) return undefined;
  const { message, metadata, code, type, param } = named.data;
  return {
    message: metadata ? `${message}: ${metadata.raw}` : message,
    ...(code !== undefined && { code }),
    ...(type !== undefined && { type }),
    ...(param !== undefined && { param }),
  };
}
