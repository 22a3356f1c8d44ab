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
    {
      step: 'rewrite[*].ask',
      contains: 'Rewrite, hang: the color of the sky',
      ...rewritten('the colour of the sky'),
      faults: [{ hang: true }],
    },
    { step: 'rewrite[*].ask', contains: 'color of the sky', ...rewritten('the colour of the sky') },
    { step: 'rewrite[*].ask', contains: 'color of the sea', ...rewritten('the colour of the sea') },
    { step: 'fix', turn: 1, calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 3' } }] },
    { step: 'fix', turn: 2, text: 'Done.' },
    { step: 'fix', turn: 3, calls: [{ tool: 'shell', arguments: { command: 'sed -i s/3/2/ app.py' } }] },
    { step: 'fix', turn: 4, text: 'Now x is 2.' },
    {
      step: 'ci/round-2',
      turn: 1,
      contains: 'no wind in notes.txt',
      calls: [{ tool: 'shell', arguments: { command: 'echo the sound of the wind >> notes.txt' } }],
    },
    { step: 'ci/round-2', turn: 2, text: 'There is wind now.' },
  ],
};

const files = {
  'app.py': 'x = 1\n',
  'notes.txt': 'the color of the sky\nthe color of the sea\n',
  'check.sh': 'grep -q "x = " app.py\n',
};
const mended = { ...files, 'app.py': 'x = 2\n', 'notes.txt': 'the colour of the sky\nthe colour of the sea\n' };

/** A command of which is noted what it leaves behind, and an export, which reads that. */
const noted = (key: string): string[] => [`${key}/before`, key, `${key}/after`];
const exported = (key: string): string[] => [`${key}/left-out`, `${key}/export`];

/** Every command of a run whose CI passes, by its sandbox and key: each is launched once, whatever dies. */
const commands = [
  'run:checkout',
  ...noted('run:setup/0'),
  'run:slow',
  ...noted('run:before/0'),
  'run:places',
  'run:rewrite[0].edit/1',
  'run:rewrite[0].edit/2',
  'run:rewrite[1].edit/1',
  'run:rewrite[1].edit/2',
  'run:run/fix/1/c00010001/1',
  'run:run/fix/1/c00010001/2',
  ...exported('run:run/fix/verify/2'),
  ...noted('run:run/fix/verify/2/0'),
  'run:run/fix/3/c00030001/1',
  ...exported('run:run/fix/verify/4'),
  ...noted('run:run/fix/verify/4/0'),
  ...exported('run:run/change'),
  'run-gate:checkout',
  'run-gate:setup/0',
  'run-gate:change/gate/0/0',
  'ci:checkout',
  'ci:check',
];

/** Every question, without the run's id. */
const questions = ['rewrite[0].ask/1', 'rewrite[1].ask/1', 'fix/1', 'fix/2', 'fix/3', 'fix/4'];

/** What the repository's CI makes of the run, and what the ledgers show then. */
interface Course {
  check: string[];
  end: RunEnd;
  commits: number;
  files: Record<string, string>;
  commands: string[];
  questions: string[];
  comments: RegExp[];
}

const passes: Course = {
  check: ['grep', '-q', 'x = 2', 'app.py'],
  end: { outcome: 'succeeded', reason: 'Change #1 is open' },
  commits: 1,
  files: mended,
  commands,
  questions,
  comments: [],
};

/** The first round's failure is repaired, the second round fails as well, and a human gets it. */
export const handedOver: Course = {
  check: ['sh', '-c', 'grep -q wind notes.txt || echo no wind in notes.txt; exit 1'],
  end: {
    outcome: 'needs-human',
    code: 'ci-failed',
    reason: 'The checks of the code host failed in round 2',
    step: 'ci',
  },
  commits: 2,
  files: { ...mended, 'notes.txt': `${mended['notes.txt']}the sound of the wind\n` },
  commands: [
    ...commands,
    'run:run/ci/round-2/1/c00010001/1',
    ...exported('run:run/ci/round-2/verify/2'),
    ...noted('run:run/ci/round-2/verify/2/0'),
    ...exported('run:run/ci/round-2'),
    'run-gate-2:checkout',
    'run-gate-2:setup/0',
    'run-gate-2:ci/round-2/gate/0/0',
    'ci-2:checkout',
    'ci-2:check',
  ],
  questions: [...questions, 'ci/round-2/1', 'ci/round-2/2'],
  comments: [/^\*\*Needs a human\.\*\* The checks of the code host failed in round 2/],
};

export interface Journey {
  runId: string;
  repository: string;
  course: Course;
}

/** The name by which traps know the run. */
export const slugOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

export async function startJourney(
  installation: Installation,
  name: string,
  { pace = 'go on', course = passes }: { pace?: string; course?: Course } = {},
): Promise<Journey> {
  const { forge, dataDir, client } = installation;
  const repository = `acme/${slugOf(name)}`;
  const source = await makeRepository(join(dataDir, 'sources', repository), files);
  const { cloneUrl } = await forge.ensureRepository({ name: repository, source, check: { command: course.check } });
  // Git's own ledger of what was pushed.
  await execa('git', ['--git-dir', cloneUrl, 'config', 'core.logAllRefUpdates', 'always']);
  const { runId } = await client.start({
    blueprint: { name: 'journey', text: blueprint, file: 'journey.yaml' },
    repository: { forge: 'local', name: repository },
    inputs: { pace },
    requester: 'tester',
  });
  return { runId, repository, course };
}

export interface Allowed {
  /** Questions whose answer was on its way when the worker died: asked again, under the same key. */
  askedAgain?: (question: string) => boolean;
}

/** The run ended right, and the ledgers show each effect once. It is the installation's only run. */
export async function checkJourney(installation: Installation, journey: Journey, allowed?: Allowed): Promise<void> {
  const launches = await checkEffects(installation, journey, allowed);
  await checkLaunches(installation, [launches]);
}

/** What a run should have launched: the name of each command by its folder. */
export type Launches = Map<string, string>;

/** The run ended right, and each effect outside of sandboxes was done once. Returns the commands to look for. */
export async function checkEffects(
  installation: Installation,
  journey: Journey,
  { askedAgain = () => false }: Allowed = {},
): Promise<Launches> {
  const { client, forge, model } = installation;
  const { runId, repository, course } = journey;
  assert.deepEqual(await client.result(runId), course.end);
  const state = await client.describe(runId);
  assert.ok(state.evidence);

  const changes = await forge.listChanges(repository);
  assert.deepEqual(
    changes.map(({ number, state: changeState, headCommit }) => [number, changeState, headCommit]),
    [[1, 'open', state.change?.commit]],
  );
  assert.match(changes[0]?.body ?? '', /### Evidence[\s\S]*clean checkout/);
  const branch = changes[0]?.branch ?? '';
  assert.deepEqual(await pushes(installation, repository), [
    'main',
    ...Array.from({ length: course.commits }, () => branch),
  ]);
  assert.deepEqual(await tree(installation, repository, branch), course.files);
  const comments = await forge.listComments(repository, 1);
  assert.equal(comments.length, course.comments.length);
  for (const [index, said] of course.comments.entries()) assert.match(comments[index]?.body ?? '', said);

  const key = await effectsKey(installation, journey);
  const asked = model.ledger
    .filter((entry) => entry.key.startsWith(`${key}/`))
    .map((entry) => ({ ...entry, question: entry.key.slice(key.length + 1) }));
  assert.deepEqual(
    asked
      .filter(({ outcome }) => outcome === 'answered')
      .map(({ question }) => question)
      .toSorted(),
    course.questions.toSorted(),
  );
  assert.deepEqual(
    asked.filter(({ outcome, question }) => outcome !== 'answered' && !askedAgain(question)),
    [],
  );

  const sandboxes = new Map([
    ['run', key],
    ...['run-gate', 'run-gate-2'].map((id) => [id, id.replace('run', key)] as const),
    ...(await listCiSandboxes(installation, repository, branch)),
  ]);
  return new Map(
    course.commands.map((name) => [launchOf(installation, { name, key, sandboxes }), `${repository} ${name}`]),
  );
}

/** No sandbox is left, and each of the runs' commands was launched once, and nothing else was. */
export async function checkLaunches(installation: Installation, runs: Launches[]): Promise<void> {
  await installation.untilNoSandbox(10_000);
  const names = new Map(runs.flatMap((launches) => [...launches]));
  assert.deepEqual(
    (await installation.takeLaunches()).map((folder) => names.get(folder) ?? folder).toSorted(),
    [...names.values()].toSorted(),
  );
}

/** The sandboxes of the checks, one for each commit of the run, by the names that this file gives them. */
async function listCiSandboxes(
  { forge }: Installation,
  repository: string,
  branch: string,
): Promise<[string, string][]> {
  const { cloneUrl } = await forge.getRepository(repository);
  const { stdout } = await execa('git', ['--git-dir', cloneUrl, 'rev-list', '--reverse', `main..${branch}`]);
  return stdout
    .split('\n')
    .map((commit, index) => [index === 0 ? 'ci' : `ci-${index + 1}`, `ci-${repository}-${commit}`]);
}

/** The folder in which a command of the run is launched. */
function launchOf(
  { dataDir }: Installation,
  { name, key, sandboxes }: { name: string; key: string; sandboxes: Map<string, string> },
): string {
  const at = name.indexOf(':');
  const id = sandboxes.get(name.slice(0, at)) ?? '';
  return commandFolder(
    sandboxFolder(dataFolders(dataDir).sandboxes, id),
    name.slice(at + 1).replace(/^run\//, `${key}/`),
  );
}

/** Lets the command that waits in the run's sandbox go on. */
export async function letGoOn(installation: Installation, journey: Journey): Promise<void> {
  const folder = sandboxFolder(dataFolders(installation.dataDir).sandboxes, await effectsKey(installation, journey));
  await writeFile(join(folder, 'workspace', '.git', 'go'), '');
}

export async function listBranches({ forge }: Installation, repository: string): Promise<string[]> {
  const { cloneUrl } = await forge.getRepository(repository);
  const { stdout } = await execa('git', [
    '--git-dir',
    cloneUrl,
    'for-each-ref',
    '--format=%(refname:short)',
    'refs/heads',
  ]);
  return stdout.split('\n');
}

/** Branches, each as often as somebody moved it. */
async function pushes(installation: Installation, repository: string): Promise<string[]> {
  const { cloneUrl } = await installation.forge.getRepository(repository);
  const moved = await Promise.all(
    (await listBranches(installation, repository)).map(async (branch) => {
      const reflog = await execa('git', ['--git-dir', cloneUrl, 'reflog', 'show', branch]);
      return branch === 'main'
        ? [branch, ...reflog.stdout.split('\n').slice(1)]
        : reflog.stdout.split('\n').map(() => branch);
    }),
  );
  return moved.flat().toSorted((a, b) => (a === 'main' ? -1 : b === 'main' ? 1 : 0));
}

async function tree({ forge }: Installation, repository: string, branch: string): Promise<Record<string, string>> {
  const { cloneUrl } = await forge.getRepository(repository);
  const git = async (...args: string[]) =>
    (await execa('git', ['--git-dir', cloneUrl, ...args], { stripFinalNewline: false })).stdout;
  const names = (await git('ls-tree', '-r', '--name-only', branch)).trim().split('\n');
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await git('show', `${branch}:${name}`)] as const)),
  );
}

/** The first execution's id, by which the run names its effects. */
async function effectsKey({ client }: Installation, { runId }: Journey): Promise<string> {
  const { raw } = await client.temporal.workflow.getHandle(runId).describe();
  const key = raw.workflowExecutionInfo?.firstRunId;
  assert.ok(key);
  return key;
}
