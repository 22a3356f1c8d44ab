import { messageCommand } from './message-command.ts';

export const sendBack = messageCommand({
  name: 'send-back',
  description: `Sends the work back to a step before the question, and says what to do about it.
Edits since that step are undone first. Then agents and prompts go on in the same conversation, and commands run again.
If a change is already open, its branch gets one more commit.`,
  comment: 'required',
  names: ['step', 'to'],
  examples:
    '  jig send-back 9742 -m "Keep the public names"\n  jig send-back 9742 --to survey -m "Leave src/vendor out"',
  done: 'sent back',
  send: (client, runId, message) => client.sendBack(runId, message),
});
