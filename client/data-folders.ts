import { join } from 'node:path';

/** The folder of each part, below the data folder. */
export const dataFolders = (dataDir: string) => ({
  artifacts: join(dataDir, 'artifacts'),
  forge: join(dataDir, 'forge'),
  git: join(dataDir, 'git'),
  sandboxes: join(dataDir, 'sandboxes'),
  workflows: join(dataDir, 'workflows'),
});
