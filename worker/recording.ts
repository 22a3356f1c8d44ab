/** Recorded sessions on disk: read to answer in place of a model, and written to record one. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import type { Model } from '../model/contract.ts';
import { createRecordingModel, Recording, type RecordingEntry } from '../model/recorded.ts';

/** Reads a recording. @throws JigError `recording-invalid` */
export async function loadRecording(file: string): Promise<Recording> {
  try {
    return Recording.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    throw new JigError('recording-invalid', `${file} is not a recorded session: ${why}`, { cause: error });
  }
}

/** A model that writes every answer to the file before it is used. The file has one answer for each key. */
export function recordTo(file: string, model: Model): Model {
  const entries = new Map<string, RecordingEntry>();
  let written = Promise.resolve();
  const write = async (): Promise<void> => {
    const answered = [...entries.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const recording = Recording.parse({
      recording: 'v1',
      protocol: model.protocol,
      contextTokens: model.contextTokens,
      model: answered[0]?.response.model ?? model.name,
      recordedAt: new Date().toISOString(),
      entries: answered,
    });
    await writeFile(`${file}.part`, `${JSON.stringify(recording, null, 2)}\n`);
    await rename(`${file}.part`, file);
  };
  return createRecordingModel(model, async (entry) => {
    entries.set(entry.key, entry);
    written = written.then(write);
    await written;
  });
}
