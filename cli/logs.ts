import { Command } from 'commander';
import { JigError } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { ArtifactStore } from '../artifacts/contract.ts';
import type { JigClient } from '../client/client.ts';
import type { RunState, StepRow } from '../workflows/messages.ts';
import { withClient } from './connection.ts';
import { findConversation } from './conversations.ts';
import { openArtifacts, readBytes } from './local-data.ts';
import { oneLine, paintOut, print, printable, printJson } from './output.ts';
import { resolveRun } from './run-reference.ts';
import { hasConversation, nameCommand, outputsOf } from './where-to-look.ts';

interface Options {
  stdout?: true;
  stderr?: true;
  raw?: true;
  json?: true;
}

export const logs = new Command('logs')
  .description("Prints what a run's commands wrote, and what its prompts asked and were answered, step by step.")
  .argument('[run]', 'the run (default: the last one)')
  .argument('[step]', 'only this step and those of its items, such as tests or rewrite[3].ask')
  .option('--stdout', 'only standard output')
  .option('--stderr', 'only standard error')
  .option('--raw', 'the bytes as they are, without headings')
  .option('--json', 'print one JSON document')
  .addHelpText('after', "\nExamples:\n  jig logs\n  jig logs 9742 tests --stderr\n  jig logs 9742 'rewrite[3].ask'\n")
  .action(async (reference: string | undefined, step: string | undefined, options: Options) => {
    const { stdout, stderr, raw, json } = options;
    const wanted = (name: string) =>
      (!stdout && !stderr) || (stdout && name.startsWith('stdout')) || (stderr && name.startsWith('stderr'));
    const { state, outputs } = await withClient(async (client) => {
      const described = await client.describe(await resolveRun(client, reference));
      const store = await openArtifacts();
      const found: Output[] = [];
      for (const row of stepsNamed(described.steps, step))
        found.push(...(await readOutputs(client, store, { runId: described.runId, row })));
      return { state: described, outputs: found.filter(({ output }) => wanted(output)) };
    });
    if (json)
      return printJson({
        runId: state.runId,
        outputs: outputs.map(({ bytes, ...output }) => ({
          ...output,
          sizeBytes: bytes.length,
          text: bytes.toString(),
        })),
      });
    for (const { step: path, output, bytes } of outputs) {
      if (raw) process.stdout.write(bytes);
      else
        print(
          `${paintOut('bold', `── ${oneLine(path)} ${output}`)} ${paintOut('dim', plural(bytes.length, 'byte'))}\n${printable(bytes.toString().trimEnd())}`,
        );
    }
    if (outputs.length === 0 && !raw) print(nothingKept(state, step));
  });

interface Output {
  step: string;
  /** The name of a stream, or who spoke. */
  output: string;
  bytes: Buffer;
}

/** What the commands of a step wrote, in their order; of a prompt, its question and its answers. */
async function readOutputs(
  client: Pick<JigClient, 'conversation'>,
  store: ArtifactStore,
  { runId, row }: { runId: string; row: StepRow },
): Promise<Output[]> {
  const { path, kind } = row;
  const written = await Promise.all(
    outputsOf(row).map(async ([output, ref]) => ({ step: path, output, bytes: await readBytes(store, ref) })),
  );
  const said = kind === 'prompt' ? ((await findConversation(client, store, { runId, row })) ?? []) : [];
  return [...written, ...said.map(({ role, content }) => ({ step: path, output: role, bytes: Buffer.from(content) }))];
}

function nothingKept({ runId, steps }: RunState, step: string | undefined): string {
  if (step === undefined) return 'No output of the run is kept.';
  const none = `No output of the step ${oneLine(step)} is kept; `;
  const talks = stepsNamed(steps, step).some(hasConversation);
  return `${none}${talks ? `its conversation is: ${nameCommand('transcript', runId, step)}` : `\`jig show\` says how it ended.`}`;
}

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
