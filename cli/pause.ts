import { decision, messageCommand } from './message-command.ts';

export const pause = messageCommand({
  name: 'pause',
  description: 'Stops a run before its next step, until it is resumed.',
  comment: 'none',
  examples: '  jig pause 9742',
  done: 'pauses before its next step; `jig resume` lets it go on',
  send: (client, runId, message) => client.pause(runId, decision(message)),
});
