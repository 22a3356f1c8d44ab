import { decision, messageCommand } from './message-command.ts';

export const reject = messageCommand({
  name: 'reject',
  description: 'Rejects what the run asks about; the run ends as cancelled.',
  comment: 'required',
  names: ['step'],
  examples: '  jig reject 9742 -m "We keep Python 3.8"',
  done: 'rejected',
  send: (client, runId, message) => client.reject(runId, decision(message)),
});
