import { decision, messageCommand } from './message-command.ts';

export const approve = messageCommand({
  name: 'approve',
  description: 'Approves what the run asks about; the run goes on.',
  comment: 'optional',
  names: ['step'],
  examples: '  jig approve 9742 -m "Looks right"',
  done: 'approved',
  send: (client, runId, message) => client.approve(runId, decision(message)),
});
