/** Runs whose histories are kept: between them they use every step kind, message and ending of the interpreter. */
import type { ScriptInput } from '../../model/script.ts';
import type { World } from '../e2e/harness.ts';

export interface Scenario {
  name: string;
  blueprint: string;
  repository: string;
  /** What people do while it runs. */
  during?: (world: World, runId: string) => Promise<void>;
}

export const script: ScriptInput = {
  script: 'v1',
  replies: [
    { step: 'rewrite[*].ask', answer: { word: 'colour' } },
    { step: 'fix', turn: 1, calls: [{ tool: 'read', arguments: { path: 'app.py' } }] },
    { step: 'fix', turn: 2, calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 2' } }] },
    { step: 'fix', turn: 3, text: 'Done.' },
    { step: 'fix', turn: 4, text: 'Done.' },
    { step: 'fix#2', turn: 1, contains: 'once more', text: 'Done again.' },
    { step: 'ci/round-2', turn: 1, calls: [{ tool: 'shell', arguments: { command: 'sed -i s/2/3/ app.py' } }] },
    { step: 'ci/round-2', turn: 2, text: 'Mended.' },
  ],
};

const untilAsked = (world: World, runId: string) => world.until(runId, ({ questions }) => questions.length > 0);

export const scenarios: Scenario[] = [
  {
    name: 'every-step',
    repository: 'acme/checked',
    blueprint: `
blueprint: v1
name: every-step
sandbox: { setup: [ 'true' ] }
steps:
  - id: words
    run: printf 'color\\n'
    parse: lines
  - check: [ 'true' ]
    gate: baseline
  - id: rewrite
    each: \${{ steps.words.value }}
    as: word
    do:
      - id: ask
        prompt: { text: "Spell \${{ word }}", answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
      - edit: { path: notes.txt, old: "\${{ word }}", new: "\${{ steps.ask.value.word }}" }
  - id: fix
    agent: { task: Make x two, allow-paths: [ app.py ] }
    verify: [ "grep -q 'x = [23]' app.py" ]
  - if: false
    run: 'false'
  - check: [ 'true' ]
  - change: { title: Every step }
  - ci: { wait: 60s }
`,
  },
  {
    name: 'sent-back-and-approved',
    repository: 'acme/api',
    blueprint: `
blueprint: v1
name: sent-back-and-approved
steps:
  - id: fix
    agent: { task: Make x two }
  - approve: { question: Good? }
`,
    async during(world, runId) {
      await untilAsked(world, runId);
      await world.client.sendBack(runId, { by: 'ada', comment: 'once more' });
      await world.until(
        runId,
        ({ questions, steps }) => questions.length > 0 && steps.filter(({ kind }) => kind === 'approve').length === 2,
      );
      await world.client.approve(runId, { by: 'ada' });
    },
  },
  {
    name: 'cancelled',
    repository: 'acme/api',
    blueprint: `
blueprint: v1
name: cancelled
steps:
  - run: sleep 600
`,
    async during(world, runId) {
      await world.until(runId, ({ steps }) => steps.some(({ kind, state }) => kind === 'run' && state === 'running'));
      await world.client.pause(runId, { by: 'ada' });
      await world.client.cancel(runId, { by: 'ada' });
    },
  },
  {
    name: 'failed',
    repository: 'acme/api',
    blueprint: `
blueprint: v1
name: failed
steps:
  - run: exit 1
    on-failure: continue
  - run: exit 2
`,
  },
  {
    name: 'continued',
    repository: 'acme/api',
    blueprint: `
blueprint: v1
name: continued
steps:
  - id: items
    run: seq 1 20
    parse: lines
  - each: \${{ steps.items.value }}
    as: item
    do:
      - run: [ echo, "\${{ item }}" ]
`,
  },
];
