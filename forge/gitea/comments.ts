import type { z } from 'zod';
import type { Forge } from '../contract.ts';
import { carriesMarker, withMarker } from '../hidden-marker.ts';
import { neutralize } from '../neutralize.ts';
import { CommentAnswer, UserAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

type WantedComment = Parameters<Forge['ensureComment']>[0];

/** Writes the comment with this marker once, and updates it. Repeatable. */
export async function ensureComment(gitea: Connection, wanted: WantedComment): Promise<void> {
  await gitea.oneAtATime(`comment ${wanted.repository} ${wanted.number}`, async () => {
    const [owner, name] = split(wanted.repository);
    const issues = gitea.api.repos;
    const body = withMarker(wanted.marker, neutralize(wanted.body));
    const [written] = await listOwn(gitea, wanted);
    if (written) {
      if (written.body !== body)
        await gitea.ask(CommentAnswer, issues.issueEditComment(owner, name, written.id, { body }));
      return;
    }
    const made = await gitea.ask(CommentAnswer, issues.issueCreateComment(owner, name, wanted.number, { body }));
    // Another process may have written one at the same moment. The first one stays.
    const [first] = await listOwn(gitea, wanted);
    if (first && first.id !== made.id) await issues.issueDeleteComment(owner, name, made.id);
  });
}

/**
 * The comments with this marker, oldest first. Others can copy a marker, so only comments by this token's user count.
 */
async function listOwn(
  gitea: Connection,
  { repository, number, marker }: WantedComment,
): Promise<z.infer<typeof CommentAnswer>[]> {
  const me = await gitea.ask(UserAnswer, gitea.api.user.userGetCurrent());
  const comments = await gitea.list(CommentAnswer, () =>
    gitea.api.repos.issueGetComments(...split(repository), number),
  );
  return comments
    .filter(({ user, body }) => user?.id === me.id && carriesMarker(marker, body))
    .toSorted((one, other) => one.id - other.id);
}
