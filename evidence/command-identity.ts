/** What makes two commands the same: their words and their environment, never the label that people read. */
export interface CommandIdentity {
  argv: string[];
  env: Record<string, string>;
}

/** The same text for the same command, whatever the order in which its variables were written. */
function commandIdentity({ argv, env }: CommandIdentity): string {
  return JSON.stringify([argv, Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The entry about the same command, of a list of entries about commands. */
export function findCommand<Entry extends CommandIdentity>(
  entries: readonly Entry[],
  command: CommandIdentity,
): Entry | undefined {
  const wanted = commandIdentity(command);
  return entries.find((entry) => commandIdentity(entry) === wanted);
}
