/** Checks a blueprint and its inputs before anything is started. */
import { checkInputs } from '../blueprints/inputs.ts';
import type { Json } from '../base/json.ts';
import type { BlueprintSource } from '../client/start-run.ts';
import { checkFound, findBlueprint } from './blueprint-file.ts';
import { BadInput } from './failure.ts';
import { hasColors } from './output.ts';

/**
 * The checked blueprint and inputs. @throws BadInput with every problem of the blueprint, or every problem of the
 * inputs
 */
export async function checkStart(
  reference: string,
  given: Record<string, string>,
): Promise<{ blueprint: BlueprintSource & { title?: string }; inputs: Record<string, Json> }> {
  const found = await findBlueprint(reference);
  const { file, files } = found;
  const { text, blueprint, issues, render } = checkFound(found);
  if (!blueprint) {
    throw new BadInput('blueprint-invalid', `${file} has problems, so nothing was started`, {
      issues,
      rendered: render(issues, { colors: hasColors(process.stderr) }),
    });
  }
  const { values, issues: problems } = checkInputs(blueprint, given);
  const [first] = problems;
  if (first) {
    const rendered = problems
      .map(({ message, hint }) => `- ${message}${hint === undefined ? '' : ` (${hint})`}`)
      .join('\n');
    throw new BadInput(first.code, `The inputs of ${blueprint.name} don't fit, so nothing was started`, {
      issues: problems,
      rendered,
      hint: 'Give each as --input name=value.',
    });
  }
  return {
    blueprint: {
      name: blueprint.name,
      text,
      file,
      files,
      ...(blueprint.title !== undefined && { title: blueprint.title }),
    },
    inputs: values,
  };
}

/** Reads `name=value`, at most once for each name. @throws BadInput `invalid-input` */
export function parseInputs(words: string[]): Record<string, string> {
  const inputs = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = word.slice(0, at);
    if (at < 1) throw new BadInput('invalid-input', `--input ${word} has no name: write --input name=value`);
    if (inputs.has(name))
      throw new BadInput('invalid-input', `--input ${name} is given twice`, {
        hint: 'Give a list as one value with commas.',
      });
    inputs.set(name, word.slice(at + 1));
  }
  return Object.fromEntries(inputs);
}
