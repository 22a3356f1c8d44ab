/** How a command ended, in words for people. */

const endings = new Map([
  ['deadline', 'took longer than its timeout'],
  ['cancelled', 'was cancelled'],
  ['out-of-memory', 'used more memory than the sandbox has'],
  ['too-many-processes', 'started more processes than the sandbox allows'],
  ['disk-full', 'wrote more than the sandbox’s disk holds'],
]);

/** The end of a sentence that begins with the command, such as `ended with exit code 1`. */
export function describeEnding({ ending, exitCode }: { ending: string; exitCode: number }): string {
  return ending === 'exited' ? `ended with exit code ${exitCode}` : (endings.get(ending) ?? `ended as ${ending}`);
}
