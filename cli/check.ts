import { Command } from 'commander';
import { plural } from '../base/plural.ts';
import { hashBlueprint } from '../blueprints/pin.ts';
import { allSteps } from '../blueprints/steps.ts';
import { checkFound, readBlueprint } from './blueprint-file.ts';
import { exitCodes } from './exit-codes.ts';
import { hasColors, paintOut, print, printable, printJson } from './output.ts';

export const check = new Command('check')
  .description('Checks blueprints as a whole before anything runs, and reports every problem at once with its place.')
  .argument('<blueprint...>', 'folders with a blueprint.yaml in them, or files; - is standard input')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig check blueprints/library/*
  generate-blueprint | jig check -
  jig check --json mine.yaml | jq '.files[].issues[].code'

Exit code ${exitCodes.failed}: there is a problem. Exit code ${exitCodes.badInput}: a file can't be read.
`,
  )
  .action(async (paths: string[], { json }: { json?: true }) => {
    const checked = await Promise.all(
      paths.map(async (path) => {
        const found = await readBlueprint(path);
        const named = path === '-' ? { ...found, file: '<stdin>' } : found;
        return { ...named, ...checkFound(named) };
      }),
    );
    if (json)
      printJson({
        files: checked.map(({ file, text, files, blueprint, issues, warnings }) => ({
          file,
          ok: issues.length === 0,
          ...(blueprint && { name: blueprint.name, sha256: hashBlueprint(text, files) }),
          issues,
          warnings,
        })),
      });
    else
      for (const { file, files, blueprint, issues, warnings, render } of checked) {
        const colors = { colors: hasColors(process.stdout) };
        if (issues.length > 0) print(render(issues, colors).trimEnd());
        else {
          const steps = plural(allSteps(blueprint?.steps ?? []).length, 'step');
          const beside = files.length === 0 ? '' : `, ${plural(files.length, 'file')} beside it`;
          print(`${paintOut('green', '✓')} ${printable(file)}: ${blueprint?.name}, ${steps}${beside}`);
          if (warnings.length > 0) print(render(warnings, colors).trimEnd());
        }
      }
    if (checked.some(({ issues }) => issues.length > 0)) process.exitCode = exitCodes.failed;
  });
