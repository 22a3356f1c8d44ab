/** A Gitea server as a forge. */
import type { Forge } from '../contract.ts';
import { closeChange, ensureChange, findChange, listChanges } from './changes.ts';
import { listChecks } from './checks.ts';
import { ensureComment } from './comments.ts';
import { connect, type GiteaOptions } from './connection.ts';
import { getRepository, gitAccess } from './repositories.ts';

/** Makes the forge. @throws JigError `config-invalid` if the address can't be used safely */
export function createGiteaForge(options: GiteaOptions): Forge {
  const gitea = connect(options);
  return {
    name: gitea.name,
    capabilities: { drafts: true, labels: true, ownCi: true },
    getRepository: (repository) => getRepository(gitea, repository),
    gitAccess: () => gitAccess(gitea),
    ensureChange: (wanted) => ensureChange(gitea, wanted),
    findChange: (repository, by) => findChange(gitea, repository, by),
    listChanges: (repository, filter = {}) => listChanges(gitea, repository, filter.state),
    ensureComment: (wanted) => ensureComment(gitea, wanted),
    listChecks: (repository, commit, base) => listChecks(gitea, repository, commit, base),
    closeChange: (repository, number, reason) => closeChange(gitea, repository, number, reason),
  };
}
