import { decision, messageCommand } from './message-command.ts';

export const cancel = messageCommand({
  name: 'cancel',
  description: 'Ends a run: what runs is stopped, and its sandbox is removed.',
  comment: 'optional',
  examples: '  jig cancel 9742 -m "Wrong branch"',
  done: 'is being cancelled; jig follow shows its end',
  send: (client, runId, message) => client.cancel(runId, decision(message)),
});
