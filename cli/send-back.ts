import { messageCommand } from './message-command.ts';

export const sendBack = messageCommand({
  name: 'send-back',
  description: 'Sends the work back to the agent step before the question; the agent goes on in the same conversation.',
  comment: 'required',
  examples: '  jig send-back 9742 -m "Keep the public names"',
  done: 'sent back',
  send: (client, runId, message) => client.sendBack(runId, message),
});
