/** The workflows of a worker: named exports and nothing else, since all of it is bundled. */
import { agent as ask } from './agent.ts';
import { cleanUpAgent, cleanUpRun, endHonestly } from './honest-end.ts';
import { run as walk } from './run.ts';

export const agent = endHonestly(ask, cleanUpAgent);
export const run = endHonestly(walk, cleanUpRun);
