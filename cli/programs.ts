/** Programs that Jig needs but can't install. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { JigError } from '../base/errors.ts';

const programs = {
  git: { words: ['git', '--version'], install: 'Install the package `git`.' },
  python3: { words: ['python3', '--version'], install: 'Install the package `python3`.' },
  pip: {
    words: ['python3', '-m', 'pip', '--version'],
    install: 'Install the package `python3-pip`, or run `python3 -m ensurepip --user`.',
  },
} as const;

/** Checks that programs exist. @throws JigError `program-missing`, which says what to install */
export async function requirePrograms(names: (keyof typeof programs)[]): Promise<void> {
  const run = promisify(execFile);
  await Promise.all(
    names.map(async (name) => {
      const {
        words: [program, ...args],
        install,
      } = programs[name];
      await run(program, args).catch((error: unknown) => {
        throw new JigError('program-missing', `${name} is not installed, or does not answer`, {
          hint: install,
          cause: error,
        });
      });
    }),
  );
}
