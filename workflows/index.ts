/** The workflows of a worker: named exports and nothing else, since all of it is bundled. */
export { agent } from './agent.ts';
export { run } from './run.ts';
