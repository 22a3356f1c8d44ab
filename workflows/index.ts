/** The workflows of a worker: named exports and nothing else, since all of it is bundled. */
import { agent as askAndAct, type AgentResult, type AgentTask } from './agent.ts';
import { cleanUpAgent, cleanUpRun, endHonestly } from './honest-end.ts';
import type { RunMemory } from './memory.ts';
import type { RunEnd, RunRequest } from './messages.ts';
import { run as walkSteps, type Continued } from './run.ts';

/** The workflow of an agent step. */
export async function agent(task: AgentTask): Promise<AgentResult> {
  return endHonestly(() => askAndAct(task), cleanUpAgent);
}

/** The workflow of a run. */
export async function run(request: RunRequest, continued?: Continued): Promise<RunEnd> {
  const known: { memory?: RunMemory } = {};
  return endHonestly(
    () => walkSteps(request, continued, known),
    (end, error) => cleanUpRun(known.memory, end, error),
  );
}
