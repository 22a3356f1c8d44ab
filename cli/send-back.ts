import { messageCommand } from './message-command.ts';

export const sendBack = messageCommand({
  name: 'send-back',
  description: `Sends the work back to a step before the question, with what is to be done about it.
Agents and prompts from there on go on in the same conversation, commands run again, and edits are taken back first.
Where a change is open already, what comes of it is one more commit on its branch.`,
  comment: 'required',
  names: ['step', 'to'],
  examples:
    '  jig send-back 9742 -m "Keep the public names"\n  jig send-back 9742 --to survey -m "Leave src/vendor out"',
  done: 'sent back',
  send: (client, runId, message) => client.sendBack(runId, message),
});
