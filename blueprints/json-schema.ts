/** The language as one JSON Schema, for editors and for programs that write blueprints. */
import { z } from 'zod';
import { Blueprint, stepSchemas } from './schema.ts';

export function blueprintJsonSchema(): Record<string, unknown> {
  const titles = new Map<unknown, string>(
    Object.entries(stepSchemas).map(([kind, schema]) => [schema, `${kind} step`]),
  );
  const schema = z.toJSONSchema(Blueprint, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const title = titles.get(zodSchema);
      if (title !== undefined) jsonSchema.title = title;
    },
  });
  return { ...schema, title: 'Jig blueprint, v1' };
}
