import { Command } from 'commander';
import { z } from 'zod';
import { ArtifactRef, type ArtifactStore } from '../artifacts/contract.ts';
import { JigError } from '../base/errors.ts';
import { Message } from '../model/contract.ts';
import { withClient } from './connection.ts';
import { openArtifacts, readArtifact } from './local-data.ts';
import { stepsNamed } from './logs.ts';
import { oneLine, paintOut, print, printable, printJson, type Paint } from './output.ts';
import { resolveRun } from './run-reference.ts';

/** A kept conversation: a list of references to its messages. */
const Kept = z.object({ entries: z.array(z.object({ ref: ArtifactRef })) });

export const transcript = new Command('transcript')
  .description('Prints the conversation of an agent step, as it was when the step ended.')
  .argument('[run]', 'the run (default: the last one)')
  .argument('[step]', 'the agent step (default: every one)')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExamples:\n  jig transcript\n  jig transcript 9742 rest --json\n')
  .action(async (reference: string | undefined, step: string | undefined, { json }: { json?: true }) => {
    const state = await withClient(async (client) => client.describe(await resolveRun(client, reference)));
    const rows = stepsNamed(state.steps, step).filter(({ artifacts }) => artifacts?.['transcript']);
    if (rows.length === 0)
      throw new JigError(
        'no-such-step',
        step === undefined
          ? 'No agent step of the run has ended yet'
          : `The run has no agent step ${step} that has ended`,
        { hint: '`jig show` lists the steps.' },
      );
    const store = await openArtifacts();
    const conversations = [];
    for (const { path, artifacts } of rows)
      if (artifacts?.['transcript'])
        conversations.push({ step: path, messages: await readConversation(store, artifacts['transcript']) });
    if (json) return printJson({ runId: state.runId, conversations });
    for (const { step: path, messages } of conversations) {
      print(paintOut('bold', `── ${oneLine(path)}, ${messages.length} messages`));
      for (const message of messages) print(renderMessage(message, paintOut));
    }
  });

async function readConversation(store: ArtifactStore, ref: ArtifactRef): Promise<Message[]> {
  const { entries } = Kept.parse(JSON.parse(await readArtifact(store, ref)));
  return Promise.all(entries.map(async (entry) => Message.parse(JSON.parse(await readArtifact(store, entry.ref)))));
}

function renderMessage(message: Message, paint: Paint): string {
  const calls =
    message.role === 'assistant'
      ? message.toolCalls.map((call) => paint('cyan', `→ ${oneLine(call.name)} ${oneLine(call.arguments, 500)}`))
      : [];
  return [
    `\n${paint('yellow', message.role)}`,
    ...(message.content ? [printable(message.content)] : []),
    ...calls,
  ].join('\n');
}
