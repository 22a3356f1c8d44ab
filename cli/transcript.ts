import { Command } from 'commander';
import { JigError } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { Message } from '../model/contract.ts';
import { withClient } from './connection.ts';
import { findConversation } from './conversations.ts';
import { openArtifacts } from './local-data.ts';
import { stepsNamed } from './logs.ts';
import { oneLine, paintOut, print, printable, printJson, type Paint } from './output.ts';
import { resolveRun } from './run-reference.ts';

export const transcript = new Command('transcript')
  .description('Prints the conversations of agent and prompt steps, also of those that failed or go on.')
  .argument('[run]', 'the run (default: the last one)')
  .argument('[step]', 'the step (default: every one that asked a model)')
  .option('--json', 'print one JSON document')
  .addHelpText('after', "\nExamples:\n  jig transcript\n  jig transcript 9742 'rewrite[3].ask' --json\n")
  .action(async (reference: string | undefined, step: string | undefined, { json }: { json?: true }) => {
    const { runId, conversations } = await withClient(async (client) => {
      const state = await client.describe(await resolveRun(client, reference));
      const store = await openArtifacts();
      const found = [];
      for (const row of stepsNamed(state.steps, step)) {
        const messages = await findConversation(client, store, { runId: state.runId, row });
        if (messages) found.push({ step: row.path, messages });
      }
      return { runId: state.runId, conversations: found };
    });
    if (conversations.length === 0)
      throw new JigError(
        'no-such-step',
        step === undefined ? 'No step of the run has asked a model yet' : `The step ${step} has asked no model`,
        { hint: '`jig show` lists the steps.' },
      );
    if (json) return printJson({ runId, conversations });
    for (const { step: path, messages } of conversations) {
      print(paintOut('bold', `── ${oneLine(path)}, ${plural(messages.length, 'message')}`));
      for (const message of messages) print(renderMessage(message, paintOut));
    }
  });

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
