/** The table of actions: which function carries out each kind of step. */
import type { StepKind } from '../blueprints/kinds/kinds.ts';
import type { NamedStep } from '../blueprints/steps.ts';
import { eachBlock } from './blocks/each.ts';
import type { StepAction } from './context.ts';
import { agentStep } from './steps/agent.ts';
import { approveStep } from './steps/approve.ts';
import { changeStep } from './steps/change.ts';
import { checkStep } from './steps/check.ts';
import { ciStep } from './steps/ci.ts';
import { editStep } from './steps/edit.ts';
import { endStep } from './steps/end.ts';
import { promptStep } from './steps/prompt.ts';
import { runStep } from './steps/run.ts';

const actions = {
  run: runStep,
  check: checkStep,
  agent: agentStep,
  prompt: promptStep,
  edit: editStep,
  each: eachBlock,
  change: changeStep,
  ci: ciStep,
  approve: approveStep,
  end: endStep,
} satisfies Record<StepKind, unknown>;

/** The action of a kind. It takes steps of that kind only; the key that chose it is the proof. */
export function actionFor(kind: StepKind): StepAction<NamedStep> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table of functions loses which takes what
  return actions[kind] as StepAction<NamedStep>;
}
