/** The environment that every command gets, wherever it runs, and the kernel's limit on its size. */
import { CommandTooLong } from './errors.ts';

/**
 * The environment of a command, without anything of the worker's own. Later variables win. The places are absolute
 * paths inside the sandbox. @throws CommandTooLong
 */
export function commandEnvironment(
  { home, blueprint }: { home: string; blueprint: string },
  ...variables: Record<string, string>[]
): Record<string, string> {
  const defaults = {
    HOME: home,
    /** The folder of the blueprint's files. */
    JIG_BLUEPRINT: blueprint,
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    // The sandbox is thrown away, so a command may install whatever it needs.
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    npm_config_prefix: `${home}/.local`,
  };
  const environment: Record<string, string> = Object.assign(defaults, ...variables);
  checkWords(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  return environment;
}

/** The kernel's limit on one word or variable (MAX_ARG_STRLEN, with the byte that ends it). */
const maxWordBytes = 131_071;

/** @throws CommandTooLong */
export function checkWords(words: Iterable<string>): void {
  for (const word of words) {
    const bytes = Buffer.byteLength(word);
    if (bytes > maxWordBytes)
      throw new CommandTooLong(`a word or variable has ${bytes} bytes; the kernel allows at most ${maxWordBytes}`);
  }
}
