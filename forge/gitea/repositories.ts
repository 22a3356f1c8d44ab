/** A repository, and how git gets at it. */
import type { Repository } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { RepositoryAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

/** The name comes back as the server writes it. @throws ForgeFailure `forge-moved` with the new name where it was renamed */
export async function getRepository(gitea: Connection, repository: string): Promise<Repository> {
  const {
    full_name: name,
    default_branch: defaultBranch,
    archived,
    empty,
  } = await gitea.ask(RepositoryAnswer, gitea.api.repos.repoGet(...split(repository))).catch((error: unknown) => {
    throw explained(gitea, repository, error);
  });
  split(name);
  // Of the server's own idea of its address nothing is used: the token goes where the configuration says.
  return { forge: gitea.name, name, cloneUrl: `${gitea.url}/${name}.git`, defaultBranch, archived, empty };
}

function explained(gitea: Connection, repository: string, error: unknown): unknown {
  if (!(error instanceof ForgeFailure)) return error;
  if (error.code === 'forge-not-found')
    return new ForgeFailure(
      'forge-not-found',
      `${gitea.name} has no repository ${repository}, or the token may not see it.`,
    );
  const name =
    error.code === 'forge-moved' ? /\/api\/v1\/repos\/([\w.-]+\/[\w.-]+)/.exec(error.message)?.[1] : undefined;
  return name ? new ForgeFailure('forge-moved', `${repository} is called ${name} on ${gitea.name} now.`) : error;
}

/**
 * The token as environment of one git process: a header for this server only, which follows no redirect to another.
 * It stands in no URL, argument or file.
 */
export async function gitAccess(gitea: Connection): Promise<{ env: Record<string, string> }> {
  // The server looks at the token alone. Three characters before it, so that its own base64, which is masked wherever text leaves the process, stands whole in this one.
  const credentials = Buffer.from(`ji:${await gitea.token()}`).toString('base64');
  const settings = {
    [`http.${gitea.url}/.extraHeader`]: `Authorization: Basic ${credentials}`,
    [`http.${gitea.url}/.followRedirects`]: 'false',
  };
  const words = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { env: { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(words) } };
}
