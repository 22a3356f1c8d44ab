/** Reads conversations with models: those that ended, and those that go on. */
import { z } from 'zod';
import { ArtifactRef, type ArtifactStore } from '../artifacts/contract.ts';
import type { JigClient } from '../client/client.ts';
import { Message } from '../model/contract.ts';
import type { StepRow } from '../workflows/messages.ts';
import { readArtifact } from './local-data.ts';

/** A kept conversation: a list of references to its messages. */
const Kept = z.object({ entries: z.array(z.object({ ref: ArtifactRef })) });

/**
 * The conversation of a step as far as it is known; undefined if the step has asked no model. A step at work
 * is asked for it, and so is an agent that ended before its first answer.
 */
export async function findConversation(
  client: Pick<JigClient, 'conversation'>,
  store: ArtifactStore,
  { runId, row: { path, kind, artifacts, state, workflowId = runId } }: { runId: string; row: StepRow },
): Promise<Message[] | undefined> {
  const kept = artifacts?.['transcript'];
  if (kept && state !== 'running') return readConversation(store, kept);
  const now = kind === 'agent' || kind === 'prompt' ? await client.conversation(workflowId, path) : undefined;
  if (now) return [...(now.transcript ? await readConversation(store, now.transcript) : []), ...now.say];
  return kept && readConversation(store, kept);
}

async function readConversation(store: ArtifactStore, ref: ArtifactRef): Promise<Message[]> {
  const { entries } = Kept.parse(JSON.parse(await readArtifact(store, ref)));
  return Promise.all(entries.map(async (entry) => Message.parse(JSON.parse(await readArtifact(store, entry.ref)))));
}
