/** Names of what a command wrote, where it is kept. */

/** The streams of a command that were kept. `command` tells a step's commands apart: `stderr-1` is of the second one. */
export function nameOutputs<Ref>(
  { stdout, stderr }: { stdout: { artifact?: Ref }; stderr: { artifact?: Ref } },
  command?: string,
): Record<string, Ref> {
  const end = command === undefined ? '' : `-${command}`;
  return {
    ...(stdout.artifact && { [`stdout${end}`]: stdout.artifact }),
    ...(stderr.artifact && { [`stderr${end}`]: stderr.artifact }),
  };
}
