/** Repositories, and git's access to them. */
import type { Repository } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { RepositoryAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

/**
 * Finds a repository. Its name is returned as the server writes it. @throws ForgeFailure `forge-moved` with the new
 * name if it was renamed
 */
export async function getRepository(gitea: Connection, repository: string): Promise<Repository> {
  const {
    full_name: name,
    default_branch: defaultBranch,
    archived,
    empty,
  } = await gitea.ask(RepositoryAnswer, gitea.api.repos.repoGet(...split(repository))).catch((error: unknown) => {
    throw explainNotFound(gitea, repository, error);
  });
  split(name);
  // Nothing of the server's own idea of its address is used: the token only goes where the configuration says.
  return { forge: gitea.name, name, cloneUrl: `${gitea.url}/${name}.git`, defaultBranch, archived, empty };
}

function explainNotFound(gitea: Connection, repository: string, error: unknown): unknown {
  if (!(error instanceof ForgeFailure)) return error;
  if (error.code === 'forge-not-found')
    return new ForgeFailure(
      'forge-not-found',
      `${gitea.name} has no repository ${repository}, or the token may not see it.`,
    );
  const name =
    error.code === 'forge-moved' ? /\/api\/v1\/repos\/([\w.-]+\/[\w.-]+)/.exec(error.message)?.[1] : undefined;
  return name ? new ForgeFailure('forge-moved', `${repository} is now called ${name} on ${gitea.name}.`) : error;
}

/**
 * The token as the environment of one git process: a header for this server only, and no redirect is followed. It is in
 * no URL, argument or file.
 */
export async function gitAccess(gitea: Connection): Promise<{ env: Record<string, string> }> {
  // The server ignores the user name. With three characters in front of it, the token's own base64, which is masked
  // wherever text leaves the process, is a whole part of this one.
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
