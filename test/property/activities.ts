/** The activities of all cases. Each finds the world of its case by its run. */
import { activityInfo } from '@temporalio/activity';
import type {
  Activities,
  CommandReport,
  ForgeActivities,
  OpenedRun,
  RunActivities,
  RunSettings,
  SandboxActivities,
} from '../../activities/contract.ts';
import { createModelActivities } from '../../activities/model-activities.ts';
import { appendMessages, keepTranscript, loadMessages, loadTranscript } from '../../activities/transcript.ts';
import { runDefaults } from '../../base/defaults.ts';
import { JigError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import { parseBlueprint } from '../../blueprints/check.ts';
import { withIds } from '../../blueprints/steps.ts';
import { z } from 'zod';
import { createScriptedModel } from './scripted-model.ts';
import { sha256, type World } from './world.ts';

const settings: RunSettings = {
  heartbeatTimeoutMs: 5000,
  staleAfterMs: 3_600_000,
  humanWaitMs: 3_600_000,
  releaseAfterMs: 3_600_000,
  copyMaxBytes: 1_000_000,
  copyIgnoredMaxBytes: 1_000_000,
  setupTimeoutMs: 60_000,
  checkTimeoutMs: 60_000,
  agentCommandTimeoutMs: 60_000,
  answerTimeoutMs: 60_000,
  toolOutputMaxCharacters: 1000,
  unusableAnswers: 3,
  protectedPaths: [],
  maxChangedFiles: 100,
  maxChangedBytes: 1_000_000,
  author: { name: 'Jig', email: 'jig@localhost' },
  continueAfterEvents: 0,
  defaults: runDefaults,
};

/** The path of a step: its key without the rounds. */
const pathOf = (key: string): string => key.replaceAll(/#\d+/g, '');
/** Of `<run>/<step's key>/<turn>`. */
const pathOfQuestion = (key: string): string => pathOf(key.split('/').slice(1, -1).join('/'));

export type Find = (runId: string) => World;

/** @param find the world of a run, by the run's id */
export function createActivities(find: Find): Activities {
  const world = () => find(activityInfo().workflowExecution?.workflowId ?? '');
  const all = { ...runActivities(world), ...sandboxActivities(world), ...modelActivities(world), ...forge(world) };
  const wrapped = Object.entries(all).map(([name, activity]) => [
    name,
    (request: never) => world().act<unknown>(() => activity(request)),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names and types as above
  return Object.fromEntries(wrapped) as Activities;
}

function runActivities(world: () => World): RunActivities {
  return {
    async openRun({ blueprint, repository: { forge: host, name } }): Promise<OpenedRun> {
      const { base, case: ofCase } = world();
      const { continueAfterEvents, releaseAfterMs } = ofCase;
      return {
        blueprint: withIds(parseBlueprint(blueprint.text, { file: 'blueprint.yaml' })),
        inputs: {},
        repository: { forge: host, name, cloneUrl: name, branch: 'main', commit: base },
        model: { name: 'plain', source: 'scripted', priced: true },
        settings: { ...settings, continueAfterEvents, releaseAfterMs },
      };
    },
    async keepValue({ value }) {
      if (typeof value === 'string') await world().goOn(`keep ${sha256(value)}`);
      else world().evidence = value;
      return world().keep(value);
    },
    async loadValue(ref) {
      await world().goOn(`load ${ref.sha256}`);
      return parseJson(await world().artifacts.get(ref));
    },
    async joinPages() {
      throw new JigError('internal-error', 'No case has this much evidence');
    },
  };
}

const Any: z.ZodType<Json> = z.json();
const parseJson = (bytes: Uint8Array): Json => Any.parse(JSON.parse(Buffer.from(bytes).toString()));

function sandboxActivities(world: () => World): SandboxActivities {
  return {
    async prepareSandbox({ id, commit }) {
      world().make(id, commit);
      return { id, provider: 'memory', incarnation: id };
    },
    async runCommand({ sandbox, key, argv, shown }) {
      const here = world();
      const moment = key.includes('/') ? undefined : await here.meet(`${sandbox.id} ${key}`, pathOf(key));
      const box = here.box(sandbox);
      if (moment?.breaks === 'lost') here.lose(sandbox);
      return here.once(box, key, argv, async () =>
        report(moment?.breaks === 'exit' ? here.run(box, ['false', ...argv]) : here.run(box, argv), shown),
      );
    },
    async applyEdit({ sandbox, key, ...edit }) {
      const here = world();
      const box = here.box(sandbox);
      return here.once(box, `edit ${key}`, edit, async () => {
        const { before, after } = here.edit(box, edit);
        const kept = {
          before: await here.artifacts.put(Buffer.from(before), 'text/plain'),
          afterSha256: sha256(after),
        };
        return { replacements: 1, ...(edit.keepBefore && { kept }) };
      });
    },
    async undoEdit(request) {
      const box = world().box(request.sandbox);
      await world().once(box, request.key, request.new, () => world().undo(box, request));
    },
    async callTool({ sandbox, key, callId, ...request }) {
      const here = world();
      const box = here.box(sandbox);
      return here.once(box, `tool ${key}`, request.transcript, async () => {
        const transcript = await loadTranscript(here.artifacts, request.transcript);
        const call = (await loadMessages(here.artifacts, transcript)).findLast(({ role }) => role === 'assistant');
        const words = call?.role === 'assistant' ? (call.toolCalls[0]?.arguments ?? '{}') : '{}';
        const { command } = z.object({ command: z.string() }).parse(JSON.parse(words));
        const content = `exit code ${here.run(box, command.split(' '))}`;
        const said = await appendMessages(here.artifacts, transcript, [{ role: 'tool', toolCallId: callId, content }]);
        return { transcript: await keepTranscript(here.artifacts, said) };
      });
    },
    async exportCommit({ sandbox, base, parent }) {
      const { files } = world().box(sandbox);
      const isSame = JSON.stringify(sorted(files)) === JSON.stringify(world().commits.get(parent)?.files);
      const stat = { base, files: [], insertions: 0, deletions: 0 };
      return isSame ? stat : { ...stat, commit: world().commit(files, parent) };
    },
    async copySandbox({ sandbox }) {
      const { files } = world().box(sandbox);
      return { archive: await world().keep(files), sizeBytes: 1, ignored: 'kept' };
    },
    async restoreSandbox({ sandbox, copy }) {
      if (!copy.archive) throw new JigError('restore-failed', 'There is no copy');
      const files = z.record(z.string(), z.string()).parse(parseJson(await world().artifacts.get(copy.archive)));
      world().box(sandbox).files = files;
    },
    async removeSandbox({ id }) {
      await world().cleanUp(id);
    },
  };
}

const sorted = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function report(exitCode: number, shown: string): CommandReport {
  const nothing = { text: '', cut: false, sizeBytes: 0 };
  const ran = { ending: 'exited' as const, exitCode, durationMs: 0 };
  return {
    ...ran,
    startedAtMs: 0,
    stdout: nothing,
    stderr: nothing,
    check: { ...ran, command: shown, ...(exitCode !== 0 && { lines: [] }) },
  };
}

function modelActivities(world: () => World) {
  const activities = (here: World) =>
    createModelActivities({
      artifacts: here.artifacts,
      model: createScriptedModel(here.isQuestionUnusable, (question) => here.asked(question)),
    });
  return {
    async askPrompt(request: Parameters<Activities['askPrompt']>[0]) {
      await world().meet(request.key, pathOfQuestion(request.key));
      return activities(world()).askPrompt(request);
    },
    async askAgent(request: Parameters<Activities['askAgent']>[0]) {
      await world().meet(request.key, pathOfQuestion(request.key));
      return activities(world()).askAgent(request);
    },
  };
}

function forge(world: () => World): ForgeActivities {
  return {
    async pushBranch({ commit, branch, expected }) {
      world().push(commit, expected);
      return { branch };
    },
    async ensureChange() {
      world().changes = 1;
      return { number: 1, url: 'memory:1' };
    },
    awaitChecks: async () => ({ state: 'none', checks: [], excerpt: '' }),
    comment: async () => undefined,
    checkFreshness: async () => ({ baseMoved: false, branchForeign: false }),
  };
}
