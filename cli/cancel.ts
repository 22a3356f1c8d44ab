import { decision, messageCommand } from './message-command.ts';

export const cancel = messageCommand({
  name: 'cancel',
  description: 'Ends a run: stops what is running, and removes its sandbox.',
  comment: 'optional',
  examples: '  jig cancel 9742 -m "Wrong branch"',
  done: 'is being cancelled; `jig follow` shows how it ends',
  send: (client, runId, message) => client.cancel(runId, decision(message)),
});
