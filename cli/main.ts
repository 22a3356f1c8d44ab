/** The entry point of the command line. Compiled code is cached, which halves the time until a command starts. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'jig'));
// The reader of our output may stop reading, as in `jig runs | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));

const { runCommandLine } = await import('./program.ts');
process.exit(await runCommandLine(process.argv.slice(2)));
