/**
 * Decides which version of Jig a worker is, and on which version new runs start. A run keeps the version that it
 * started on: only workers of that version run its workflow code and its activities.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { JigError } from '../base/errors.ts';
import {
  describeVersions,
  findDeployment,
  isNotFound,
  isSame,
  isServed,
  type TemporalNamespace,
} from '../client/versions.ts';
import manifest from '../package.json' with { type: 'json' };
import { taskQueues } from '../workflows/messages.ts';
import type { Config } from './config.ts';
import type { WorkflowBundle } from './workflow-bundle.ts';

/** How long Temporal may take to register a worker that asks for work. */
const registeredWithinMs = 30_000;

/** How long Temporal may take to send new runs' work to a version that was made current. */
const routedWithinMs = 30_000;

/** How often to look whether it does, before setting it once more. */
const looksBeforeSettingAgain = 40;

/** A worker's version, and who makes it current. */
export interface ChosenVersion {
  version: WorkerDeploymentVersion;
  promote: Config['worker']['versions']['promote'];
}

/**
 * Chooses the version by these workflows and the configuration. If Temporal's Worker Controller sets the version, the
 * controller also promotes it.
 */
export function chooseVersion(bundle: WorkflowBundle, config: Config, env: NodeJS.ProcessEnv): ChosenVersion {
  const { deployment, promote } = config.worker.versions;
  const buildId = env['TEMPORAL_WORKER_BUILD_ID'];
  return {
    version: {
      deploymentName: env['TEMPORAL_DEPLOYMENT_NAME'] ?? deployment,
      buildId: buildId ?? buildIdOf(bundle),
    },
    promote: buildId === undefined ? promote : 'manual',
  };
}

/** The id of a version. Equal sources have equal ids, whatever folder they are in. */
export function buildIdOf({ code }: WorkflowBundle): string {
  // The source map names this machine's folders.
  const [own = ''] = code.split('\n//# sourceMappingURL=');
  return `${manifest.version}-${createHash('sha256').update(own).digest('hex').slice(0, 10)}`;
}

/**
 * Makes new runs start on this version: waits for its workers, and until every queue sends work there. Repeatable.
 * @throws JigError `version-not-current`
 */
export async function setCurrentVersion(server: TemporalNamespace, version: WorkerDeploymentVersion): Promise<void> {
  const { connection, namespace } = server;
  const { deploymentName, buildId } = version;
  await withPromotionError(buildId, async () => {
    await untilRegistered(server, version);
    for (const deadlineMs = Date.now() + routedWithinMs; ;) {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId,
        identity: `jig ${process.pid}`,
        allowNoPollers: true,
        ignoreMissingTaskQueues: true,
      });
      // Temporal tells the queues afterwards. Under load, one that was just registered can miss it.
      for (let look = 0; look < looksBeforeSettingAgain; look += 1) {
        if (await isRouted(server, version)) return;
        await wait(50);
      }
      if (Date.now() > deadlineMs) throw new Error('its queues do not send work to it');
    }
  });
}

/** Whether every queue sends the work of new runs to this version. */
async function isRouted(server: TemporalNamespace, version: WorkerDeploymentVersion): Promise<boolean> {
  const queues = await Promise.all(
    Object.values(taskQueues).map((queue) => describeVersions(server, queue, queue === taskQueues.runs)),
  );
  return queues.every(({ current }) => current && isSame(current, version));
}

/**
 * Makes this version current if it is the newest of those that have workers. Returns the current version. Repeatable.
 * @throws JigError `version-not-current`
 */
export async function ensureNewestIsCurrent(
  server: TemporalNamespace,
  mine: WorkerDeploymentVersion,
): Promise<WorkerDeploymentVersion> {
  const { deploymentName, buildId } = mine;
  const current = await withPromotionError(buildId, async () => {
    await untilRegistered(server, mine);
    const deployment = await findDeployment(server, deploymentName);
    const currentId = deployment?.routingConfig?.currentDeploymentVersion?.buildId;
    if (!currentId) return undefined;
    const createdAtMs = (wanted: string): number => {
      const found = deployment.versionSummaries?.find((each) => each.deploymentVersion?.buildId === wanted);
      const { seconds = 0, nanos = 0 } = found?.createTime ?? {};
      return Number(seconds) * 1000 + (nanos ?? 0) / 1e6;
    };
    const found = { deploymentName, buildId: currentId };
    if (currentId === buildId) return (await isRouted(server, mine)) ? found : undefined;
    const isNewer = createdAtMs(buildId) > createdAtMs(currentId);
    if (isNewer) return undefined;
    const { workers, ...queue } = await describeVersions(server);
    const own = workers.filter(({ isForOlderRuns }) => !isForOlderRuns);
    return isServed({ ...queue, workers: own }, found) ? found : undefined;
  });
  if (current) return current;
  await setCurrentVersion(server, mine);
  return mine;
}

/**
 * Waits until Temporal has seen workers of this version on every queue. A run that starts on it earlier could reach
 * another version.
 */
async function untilRegistered({ connection, namespace }: TemporalNamespace, version: WorkerDeploymentVersion) {
  for (const deadlineMs = Date.now() + registeredWithinMs; ; await wait(50)) {
    try {
      const { versionTaskQueues } = await connection.workflowService.describeWorkerDeploymentVersion({
        namespace,
        deploymentVersion: version,
      });
      const names = new Set(versionTaskQueues?.map(({ name }) => name));
      if (Object.values(taskQueues).every((name) => names.has(name))) return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (Date.now() > deadlineMs) throw new Error('its workers are not registered');
  }
}

async function withPromotionError<Value>(buildId: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw new JigError(
      'version-not-current',
      `New runs can't be started on version ${buildId}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
