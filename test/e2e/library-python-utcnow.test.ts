import { join } from 'node:path';
import { testRecordedSession } from './recorded-session.ts';

testRecordedSession({
  name: 'python-utcnow',
  recording: join(import.meta.dirname, 'recordings', 'python-utcnow.json'),
  holds: [/^\+.*datetime\.now\(timezone\.utc\)/m],
  lacks: [/^\+.*(?:utcnow|utcfromtimestamp)/m],
});
