import { ForgeFailure } from '../errors.ts';
import { LabelAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

const color = '#6b7280';

/** The ids of these labels. Missing labels are made. Repeatable. */
export async function ensureLabels(gitea: Connection, repository: string, names: string[]): Promise<number[]> {
  if (names.length === 0) return [];
  return gitea.oneAtATime(`labels ${repository}`, async () => {
    const [owner, name] = split(repository);
    const known = await gitea.list(LabelAnswer, (page) => gitea.api.repos.issueListLabels(owner, name, page));
    const ids: number[] = [];
    for (const wanted of new Set(names)) {
      const label =
        known.find((each) => each.name === wanted) ??
        (await gitea.ask(LabelAnswer, gitea.api.repos.issueCreateLabel(owner, name, { name: wanted, color })));
      if (label.name !== wanted)
        throw new ForgeFailure(
          'forge-refused',
          `${gitea.name} changed the label's name to ${JSON.stringify(label.name)}; it was asked for ${JSON.stringify(wanted)}.`,
        );
      ids.push(label.id);
    }
    return ids;
  });
}
