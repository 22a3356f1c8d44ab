import { join } from 'node:path';
import { libraryDir } from './fixtures.ts';
import { testRecordedSession } from './recorded-session.ts';

testRecordedSession({
  name: 'python-major-bump',
  recording: join(libraryDir, 'python-major-bump', 'cases', 'recording.json'),
  holds: [
    /^\+dependencies = \["pydantic>=2,<3"\]$/m,
    /^\+    model_config = ConfigDict\(frozen=True\)$/m,
    /^\+    def due_is_not_before_ordered\(cls, value, info\):$/m,
    /^\+        return first\.model_dump\(\) == second\.model_dump\(\)$/m,
  ],
  lacks: [/^\+.*(?:#|\.dict\(|parse_obj|__fields__)/m, /settings\.model_dump|response\.model_dump/],
});
