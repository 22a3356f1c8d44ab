/**
 * Keeps the workflow bundles of versions that ran here in the data folder, so that an upgraded Jig can serve runs that
 * older versions started.
 */
import { glob, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sdk from '@temporalio/worker/package.json' with { type: 'json' };
import { dataFolders } from '../client/data-folders.ts';
import { findBundleFile, writeBundleFile } from './bundle-file.ts';
import type { WorkflowBundle } from './workflow-bundle.ts';

/**
 * The folder of the bundles for this release of Temporal's SDK. A bundle contains half of the SDK, and runs only with
 * the other half of the same release.
 */
const folderOf = (dataDir: string): string => join(dataFolders(dataDir).workflows, `temporal-${sdk.version}`);

const pathOf = (dataDir: string, buildId: string): string =>
  join(folderOf(dataDir), `${encodeURIComponent(buildId)}.js`);

/** Repeatable. */
export async function keepBundle(dataDir: string, buildId: string, { code }: WorkflowBundle): Promise<void> {
  await writeBundleFile(pathOf(dataDir, buildId), code);
}

/** The build ids of the kept versions that this process can serve. */
export async function listKeptBundles(dataDir: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const name of glob('*.js', { cwd: folderOf(dataDir) }))
    ids.push(decodeURIComponent(basename(name, '.js')));
  return ids.toSorted();
}

/** The kept bundle of a version; undefined if there is none, or if it can't be trusted. */
export async function findKeptBundle(dataDir: string, buildId: string): Promise<WorkflowBundle | undefined> {
  const code = await findBundleFile(pathOf(dataDir, buildId));
  return code === undefined ? undefined : { code };
}

/** Repeatable. */
export async function removeKeptBundle(dataDir: string, buildId: string): Promise<void> {
  await rm(pathOf(dataDir, buildId), { force: true });
}
