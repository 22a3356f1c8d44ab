import { Command } from 'commander';
import { JigError } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { StepRow } from '../workflows/messages.ts';
import { withClient } from './connection.ts';
import { openArtifacts, readArtifact } from './local-data.ts';
import { oneLine, paintOut, print, printable, printJson } from './output.ts';
import { resolveRun } from './run-reference.ts';

interface Options {
  stdout?: true;
  stderr?: true;
  raw?: true;
  json?: true;
}

export const logs = new Command('logs')
  .description("Prints what a run's commands wrote, step by step.")
  .argument('[run]', 'the run (default: the last one)')
  .argument('[step]', 'only this step and those of its items, such as tests or rewrite[3].ask')
  .option('--stdout', 'only standard output')
  .option('--stderr', 'only standard error')
  .option('--raw', 'the bytes as they are, without headings')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExamples:\n  jig logs\n  jig logs 9742 tests --stderr\n')
  .action(async (reference: string | undefined, step: string | undefined, { stdout, stderr, raw, json }: Options) => {
    const state = await withClient(async (client) => client.describe(await resolveRun(client, reference)));
    const rows = stepsNamed(state.steps, step);
    const wanted = (name: string) =>
      (!stdout && !stderr) || (stdout && name.startsWith('stdout')) || (stderr && name.startsWith('stderr'));
    const store = await openArtifacts();
    const outputs = [];
    for (const row of rows)
      for (const [name, ref] of Object.entries(row.artifacts ?? {})) {
        if (ref.mediaType.startsWith('text/') && wanted(name))
          outputs.push({
            step: row.path,
            output: name,
            sizeBytes: ref.sizeBytes,
            text: await readArtifact(store, ref),
          });
      }
    if (json) return printJson({ runId: state.runId, outputs });
    for (const { step: path, output, sizeBytes, text } of outputs) {
      if (raw) process.stdout.write(text);
      else
        print(
          `${paintOut('bold', `── ${oneLine(path)} ${output}`)} ${paintOut('dim', plural(sizeBytes, 'byte'))}\n${printable(text.trimEnd())}`,
        );
    }
    if (outputs.length === 0 && !raw)
      print(
        step === undefined
          ? 'No output of the run is kept.'
          : `No output of the step ${oneLine(step)} is kept; \`jig show\` says how it ended.`,
      );
  });

/** The rows of a step and of its items; all rows if no step is named. @throws JigError `no-such-step` */
export function stepsNamed(rows: StepRow[], step: string | undefined): StepRow[] {
  if (step === undefined) return rows;
  const found = rows.filter(({ path }) => path === step || path.startsWith(`${step}[`) || path.startsWith(`${step}/`));
  if (found.length > 0) return found;
  const names = [...new Set(rows.map(({ path }) => path).filter((path) => !path.includes('[')))];
  throw new JigError('no-such-step', `The run has no step ${step} yet`, {
    hint: names.length > 0 ? `Its steps so far: ${names.join(', ')}` : 'None of its steps has started.',
  });
}
