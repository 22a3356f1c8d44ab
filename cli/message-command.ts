/** The commands that tell a run something: one shape, a message each. */
import { Command } from 'commander';
import type { JigClient } from '../client/client.ts';
import { withClient } from './connection.ts';
import { print, printJson } from './output.ts';
import { findPerson } from './person.ts';
import { resolveRun } from './run-reference.ts';

interface Options {
  by?: string;
  message?: string;
  json?: true;
}

interface Message {
  name: string;
  description: string;
  /** Whether it comes with words: never, if there are any, or always. */
  comment: 'none' | 'optional' | 'required';
  examples: string;
  /** What was done, as the person reads it. */
  done: string;
  send: (client: JigClient, runId: string, message: { by: string; comment: string }) => Promise<void>;
}

export function messageCommand({ name, description, comment, examples, done, send }: Message): Command {
  const command = new Command(name)
    .description(description)
    .argument('<run>', '- is the last one')
    .option('--by <name>', 'who says it (default: your name in git)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nExamples:\n${examples}\n`)
    .action(async (reference: string, { by, message = '', json }: Options) => {
      await withClient(async (client) => {
        const runId = await resolveRun(client, reference);
        await send(client, runId, { by: by ?? (await findPerson()), comment: message });
        if (json) printJson({ runId, done: name });
        else print(`${runId}: ${done}`);
      });
    });
  if (comment === 'optional') command.option('-m, --message <text>', 'a comment');
  if (comment === 'required') command.requiredOption('-m, --message <text>', 'the comment');
  return command;
}

/** A decision with its comment, left out where there is none. */
export function decision({ by, comment }: { by: string; comment: string }): { by: string; comment?: string } {
  return comment === '' ? { by } : { by, comment };
}
