/** The commands that send a message to a run. They all have the same form. */
import { Command } from 'commander';
import type { JigClient } from '../client/client.ts';
import type { Decision } from '../workflows/messages.ts';
import { withClient } from './connection.ts';
import { shortText } from './option-values.ts';
import { print, printJson } from './output.ts';
import { findPerson } from './person.ts';
import { resolveRun } from './run-reference.ts';

interface Options {
  by?: string;
  message?: string;
  step?: string;
  to?: string;
  json?: true;
}

/** What the person said, and the step that they named. */
interface MessageOptions {
  by: string;
  comment: string;
  step?: string;
  to?: string;
}

interface Message {
  name: string;
  description: string;
  /** Whether the command takes a comment. */
  comment: 'none' | 'optional' | 'required';
  /** Whether it can name the step that asks, and the step that the work goes back to. */
  names?: ('step' | 'to')[];
  examples: string;
  /** The text that tells the person what was done. */
  done: string;
  send: (client: JigClient, runId: string, message: MessageOptions) => Promise<void>;
}

export function messageCommand({ name, description, comment, names = [], examples, done, send }: Message): Command {
  const command = new Command(name)
    .description(description)
    .argument('<run>', 'the run; - is the last one')
    .option('--by <name>', 'who says it (default: your name in git)', shortText)
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nExamples:\n${examples}\n`)
    .action(async (reference: string, { by, message = '', json, step, to }: Options) => {
      await withClient(async (client) => {
        const runId = await resolveRun(client, reference);
        const named = { ...(step !== undefined && { step }), ...(to !== undefined && { to }) };
        await send(client, runId, { by: by ?? (await findPerson()), comment: message, ...named });
        if (json) printJson({ runId, done: name });
        else print(`${runId}: ${done}`);
      });
    });
  if (names.includes('step')) command.option('--step <path>', stepOption);
  if (names.includes('to'))
    command.option('--to <id>', 'the step to go back to (default: the last one that asked a model)');
  if (comment === 'optional') command.option('-m, --message <text>', 'a comment');
  if (comment === 'required') command.requiredOption('-m, --message <text>', 'the comment');
  return command;
}

/** A decision, without `comment` if that is empty. */
export function decision({ comment, to: _, ...said }: MessageOptions): Decision {
  return comment === '' ? said : { ...said, comment };
}

export const stepOption = 'the step to send it to (default: every step that can receive it)';
