/** The language as one JSON Schema, for editors and for whoever writes blueprints by program. */
import { z } from 'zod';
import { Blueprint, stepKinds, stepSchemas } from './schema.ts';

export function blueprintJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(Blueprint, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const kind = stepKinds.find((name) => stepSchemas[name] === zodSchema);
      if (kind) jsonSchema.title = `${kind} step`;
    },
  });
  return { ...schema, title: 'Jig blueprint, v1' };
}
