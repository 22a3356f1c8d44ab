/** Downloads a released source distribution from the package index that pip is configured with. */
import { join } from 'node:path';
import { execa } from 'execa';
import { JigError } from '../base/errors.ts';

/** A release of a package. */
export interface SourceDistribution {
  project: string;
  version: string;
  /** The archive's hash, by which it is found. */
  sha256: string;
}

const script = join(import.meta.dirname, 'source_distribution.py');
const timeoutMs = 10 * 60_000;

/**
 * Unpacks the distribution's files into `folder`. Nothing in it is run, and an archive with another hash is not
 * unpacked. @throws JigError `source-distribution-unavailable`
 */
export async function unpackSourceDistribution(distribution: SourceDistribution, folder: string): Promise<void> {
  const { project, version, sha256 } = distribution;
  const result = await execa('python3', [script, project, sha256, folder], { reject: false, timeout: timeoutMs });
  if (!result.failed) return;
  const lastLine = (result.stderr ?? '').trim().split('\n').at(-1);
  throw new JigError(
    'source-distribution-unavailable',
    `${project} ${version} could not be downloaded: ${lastLine || result.shortMessage}`,
  );
}
