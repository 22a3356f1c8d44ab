/** The entry point of the command line. Compiled code is cached, which halves the time until a command starts. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'jig'));
// The reader of our output may stop reading, as in `jig runs | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));
// Nobody reads remarks any more.
process.stderr.on('error', () => undefined);

const { runCommandLine } = await import('./program.ts');
const exitCode = await runCommandLine(process.argv.slice(2));
// A pipe takes what its reader has room for, and an exit would drop the rest.
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
process.exit(exitCode);
