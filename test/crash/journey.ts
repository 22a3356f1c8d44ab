/** The run that is killed everywhere: one blueprint with each kind of effect, and what the ledgers must show of it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dataFolders } from '../../client/data-folders.ts';
import { commandFolder } from '../../sandbox/local/command-folder.ts';
import { sandboxFolder } from '../../sandbox/local/layout.ts';
import type { ScriptInput } from '../../model/script.ts';
import type { RunEnd } from '../../workflows/messages.ts';
import { makeRepository } from '../e2e/repository.ts';
import type { Installation } from './installation.ts';

const blueprint = `
blueprint: v1
name: journey
inputs: { pace: { type: string, default: go on } }
sandbox: { setup: [ mkdir -p "$HOME/ready" ] }
steps:
  - id: slow
    run: echo started; test "$PACE" != wait || until test -e .git/go; do sleep 0.02; done
    env: { PACE: "\${{ inputs.pace }}" }
    retry: 0
  - id: before
    check: [ sh check.sh ]
    gate: baseline
  - id: places
    run: grep -n color notes.txt | sed 's/^\\([0-9]*\\):\\(.*\\)$/{"line":\\1,"text":"\\2"}/' | paste -sd, | sed 's/^/[/;s/$/]/'
    parse: json
  - id: rewrite
    each: \${{ steps.places.value }}
    as: place
    at-once: 2
    do:
      - id: ask
        prompt:
          text: "Rewrite, \${{ inputs.pace }}: \${{ place.text }}"
          answer: { type: object, properties: { line: { type: string } }, required: [ line ] }
      - edit: { path: notes.txt, old: "\${{ place.text }}", new: "\${{ steps.ask.value.line }}", line: "\${{ place.line }}" }
  - id: fix
    agent: { task: Make x two, tools: [ edit, shell ] }
    verify: [ grep -q 'x = 2' app.py ]
    attempts: 2
  - change: { title: Make x two }
  - ci: { wait: 60s }
`;

const rewritten = (line: string) => ({ answer: { line } });
export const script: ScriptInput = {
  script: 'v1',
  replies: [
    // Asked for the first time, it doesn't answer: the worker dies waiting.
    { step: 'rewrite[*].ask', contains: 'Rewrite, hang: the color of the sky', ...rewritten('the colour of the sky'), faults: [{ hang: true }] },
    { step: 'rewrite[*].ask', contains: 'color of the sky', ...rewritten('the colour of the sky') },
    { step: 'rewrite[*].ask', contains: 'color of the sea', ...rewritten('the colour of the sea') },
    { step: 'fix', turn: 1, calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 3' } }] },
    { step: 'fix', turn: 2, text: 'Done.' },
    { step: 'fix', turn: 3, calls: [{ tool: 'shell', arguments: { command: 'sed -i s/3/2/ app.py' } }] },
    { step: 'fix', turn: 4, text: 'Now x is 2.' },
  ],
};

const files = { 'app.py': 'x = 1\n', 'notes.txt': 'the color of the sky\nthe color of the sea\n', 'check.sh': 'grep -q "x = " app.py\n' };

export interface Journey {
  runId: string;
  repository: string;
}

export async function startJourney(installation: Installation, name: string, pace = 'go on'): Promise<Journey> {
  const { forge, dataDir, client } = installation;
  const repository = `acme/${name.replaceAll(/[^a-z0-9]+/gi, '-')}`;
  const source = await makeRepository(join(dataDir, 'sources', repository), files);
  const { cloneUrl } = await forge.ensureRepository({ name: repository, source, check: { command: ['grep', '-q', 'x = 2', 'app.py'] } });
  // Git's own ledger of what was pushed.
  await execa('git', ['--git-dir', cloneUrl, 'config', 'core.logAllRefUpdates', 'always']);
  const { runId } = await client.start({ blueprint: { name: 'journey', text: blueprint, file: 'journey.yaml' }, repository: { forge: 'local', name: repository }, inputs: { pace }, requester: 'tester' });
  return { runId, repository };
}

/** Every command of the run, by its sandbox and key: each is launched once, whatever dies. */
const commands = [
  'run:checkout', 'run:setup/0', 'run:slow', 'run:before/0', 'run:places',
  'run:rewrite[0].edit/1', 'run:rewrite[0].edit/2', 'run:rewrite[1].edit/1', 'run:rewrite[1].edit/2',
  'run:run/fix/1/c00010001/1', 'run:run/fix/1/c00010001/2', 'run:run/fix/verify/2/export', 'run:run/fix/verify/2/0',
  'run:run/fix/3/c00030001/1', 'run:run/fix/verify/4/export', 'run:run/fix/verify/4/0', 'run:run/change/export',
  'run-gate:checkout', 'run-gate:setup/0', 'run-gate:change/gate/0/0',
  'ci:checkout', 'ci:check',
];

/** Every question, without the run's id. */
const questions = ['rewrite[0].ask/1', 'rewrite[1].ask/1', 'fix/1', 'fix/2', 'fix/3', 'fix/4'];

export interface Allowed {
  /** Questions whose answer was on its way when the worker died: asked again, under the same key. */
  askedAgain?: (question: string) => boolean;
}

/** The run ended right, and the ledgers show each effect once. */
export async function checkJourney(installation: Installation, journey: Journey, { askedAgain = () => false }: Allowed = {}): Promise<void> {
  const { client, forge, model } = installation;
  const { runId, repository } = journey;
  const end: RunEnd = await client.result(runId);
  assert.deepEqual(end, { outcome: 'succeeded', reason: 'Change #1 is open' });
  const state = await client.describe(runId);
  assert.ok(state.evidence);

  const changes = await forge.listChanges(repository);
  assert.deepEqual(changes.map(({ number, state: changeState, headCommit }) => [number, changeState, headCommit]), [[1, 'open', state.change?.commit]]);
  assert.match(changes[0]?.body ?? '', /### Evidence[\s\S]*clean checkout/);
  assert.deepEqual(await pushes(installation, repository), [`main`, changes[0]?.branch]);
  assert.deepEqual(await tree(installation, repository, changes[0]?.branch ?? ''), { ...files, 'app.py': 'x = 2\n', 'notes.txt': 'the colour of the sky\nthe colour of the sea\n' });

  const key = await effectsKey(installation, journey);
  const asked = model.ledger.filter((entry) => entry.key.startsWith(`${key}/`)).map((entry) => ({ ...entry, question: entry.key.slice(key.length + 1) }));
  assert.deepEqual(asked.filter(({ outcome }) => outcome === 'answered').map(({ question }) => question).toSorted(), questions.toSorted());
  assert.deepEqual(asked.filter(({ outcome, question }) => outcome !== 'answered' && !askedAgain(question)), []);

  await installation.untilNoSandbox(10_000);
  const { commit } = state.change ?? {};
  const names = new Map(commands.map((name) => [launchOf(installation, { name, key, ciId: `ci-${repository}-${commit}` }), name]));
  assert.deepEqual((await installation.takeLaunches()).map((folder) => names.get(folder) ?? folder).toSorted(), commands.toSorted());
}

/** The folder in which a command of the run is launched. */
function launchOf({ dataDir }: Installation, { name, key, ciId }: { name: string; key: string; ciId: string }): string {
  const at = name.indexOf(':');
  const sandbox = name.slice(0, at);
  const id = sandbox === 'ci' ? ciId : sandbox.replace('run', key);
  return commandFolder(sandboxFolder(dataFolders(dataDir).sandboxes, id), name.slice(at + 1).replace(/^run\//, `${key}/`));
}

/** Lets the command that waits in the run's sandbox go on. */
export async function letGoOn(installation: Installation, journey: Journey): Promise<void> {
  const folder = sandboxFolder(dataFolders(installation.dataDir).sandboxes, await effectsKey(installation, journey));
  await writeFile(join(folder, 'workspace', '.git', 'go'), '');
}

export async function listBranches({ forge }: Installation, repository: string): Promise<string[]> {
  const { cloneUrl } = await forge.getRepository(repository);
  const { stdout } = await execa('git', ['--git-dir', cloneUrl, 'for-each-ref', '--format=%(refname:short)', 'refs/heads']);
  return stdout.split('\n');
}

/** Branches, each as often as somebody moved it. */
async function pushes(installation: Installation, repository: string): Promise<string[]> {
  const { cloneUrl } = await installation.forge.getRepository(repository);
  const moved = await Promise.all((await listBranches(installation, repository)).map(async (branch) => {
    const reflog = await execa('git', ['--git-dir', cloneUrl, 'reflog', 'show', branch]);
    return branch === 'main' ? [branch, ...reflog.stdout.split('\n').slice(1)] : reflog.stdout.split('\n').map(() => branch);
  }));
  return moved.flat().toSorted((a, b) => (a === 'main' ? -1 : b === 'main' ? 1 : 0));
}

async function tree({ forge }: Installation, repository: string, branch: string): Promise<Record<string, string>> {
  const { cloneUrl } = await forge.getRepository(repository);
  const git = async (...args: string[]) => (await execa('git', ['--git-dir', cloneUrl, ...args], { stripFinalNewline: false })).stdout;
  const names = (await git('ls-tree', '-r', '--name-only', branch)).trim().split('\n');
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await git('show', `${branch}:${name}`)] as const)));
}

/** The first execution's id, by which the run names its effects. */
async function effectsKey({ client }: Installation, { runId }: Journey): Promise<string> {
  const { raw } = await client.temporal.workflow.getHandle(runId).describe();
  const key = raw.workflowExecutionInfo?.firstRunId;
  assert.ok(key);
  return key;
}
