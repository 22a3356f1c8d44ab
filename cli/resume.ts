import { decision, messageCommand } from './message-command.ts';

export const resume = messageCommand({
  name: 'resume',
  description: 'Lets a paused run go on.',
  comment: 'none',
  examples: '  jig resume 9742',
  done: 'goes on',
  send: (client, runId, message) => client.resume(runId, decision(message)),
});
