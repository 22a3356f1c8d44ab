/** A conversation in the store: a list of references to messages, which is itself an artifact with a reference. */
import { z } from 'zod';
import { ArtifactRef, type ArtifactStore } from '../artifacts/contract.ts';
import { estimateTokens, Message } from '../model/contract.ts';
import type { TranscriptRef } from './contract.ts';
import { keepJson, loadJson } from './kept.ts';

const Transcript = z.strictObject({
  entries: z.array(
    z.strictObject({ role: z.enum(['system', 'user', 'assistant', 'tool']), tokens: z.number(), ref: ArtifactRef }),
  ),
});
export type Transcript = z.infer<typeof Transcript>;

/** Loads a transcript; an empty one if there is no reference yet. */
export async function loadTranscript(store: ArtifactStore, ref: TranscriptRef | undefined): Promise<Transcript> {
  return ref ? loadJson(store, ref, Transcript) : { entries: [] };
}

/** Loads the texts of all messages, in their order. */
export async function loadMessages(store: ArtifactStore, transcript: Transcript): Promise<Message[]> {
  return Promise.all(transcript.entries.map(({ ref }) => loadMessage(store, ref)));
}

export const loadMessage = (store: ArtifactStore, ref: ArtifactRef): Promise<Message> => loadJson(store, ref, Message);

/** The transcript with more messages. The given one is not changed. */
export async function appendMessages(
  store: ArtifactStore,
  transcript: Transcript,
  messages: Message[],
): Promise<Transcript> {
  const added = await Promise.all(
    messages.map(async (message) => ({
      role: message.role,
      tokens: estimateTokens(JSON.stringify(message)),
      ref: await keepJson(store, message),
    })),
  );
  return { entries: [...transcript.entries, ...added] };
}

export const keepTranscript = (store: ArtifactStore, transcript: Transcript): Promise<TranscriptRef> =>
  keepJson(store, transcript);
