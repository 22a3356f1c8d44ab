import { Command } from 'commander';
import { checkBlueprint } from '../blueprints/check.ts';
import { renderIssues } from '../blueprints/render-issues.ts';
import { allSteps } from '../blueprints/steps.ts';
import { readText } from './blueprint-file.ts';
import { exitCodes } from './exit-codes.ts';
import { hasColors, paintOut, print, printable, printJson } from './output.ts';

export const check = new Command('check')
  .description('Checks blueprints as a whole before anything runs, and reports every problem at once with its place.')
  .argument('<file...>', 'blueprints; - is standard input')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig check blueprints/library/*.yaml
  generate-blueprint | jig check -
  jig check --json mine.yaml | jq '.files[].issues[].code'

Exit code ${exitCodes.failed} where there is a problem, ${exitCodes.badInput} where a file can't be read.
`,
  )
  .action(async (files: string[], { json }: { json?: true }) => {
    const checked = await Promise.all(
      files.map(async (name) => {
        const file = name === '-' ? '<stdin>' : name;
        const bytes = await readText(name);
        return { file, text: bytes.toString(), ...checkBlueprint(bytes, { file }) };
      }),
    );
    if (json)
      printJson({
        files: checked.map(({ file, blueprint, issues }) => ({
          file,
          ok: issues.length === 0,
          ...(blueprint && { name: blueprint.name }),
          issues,
        })),
      });
    else
      for (const { file, text, blueprint, issues } of checked) {
        if (issues.length > 0) print(renderIssues(text, issues, { colors: hasColors(process.stdout) }).trimEnd());
        else
          print(
            `${paintOut('green', '✓')} ${printable(file)}: ${blueprint?.name}, ${allSteps(blueprint?.steps ?? []).length} steps`,
          );
      }
    if (checked.some(({ issues }) => issues.length > 0)) process.exitCode = exitCodes.failed;
  });
