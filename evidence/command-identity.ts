/** The identity of a command: its words and its environment, never the label that people read. */
export interface CommandIdentity {
  argv: string[];
  env: Record<string, string>;
}

/** A text that is the same for the same command, whatever the order of its variables. */
function commandIdentity({ argv, env }: CommandIdentity): string {
  return JSON.stringify([argv, Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Finds the entry for the same command. */
export function findCommand<Entry extends CommandIdentity>(
  entries: readonly Entry[],
  command: CommandIdentity,
): Entry | undefined {
  const wanted = commandIdentity(command);
  return entries.find((entry) => commandIdentity(entry) === wanted);
}
