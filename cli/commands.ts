/** Every command with its summary. Each has a file, which is loaded when the command is called. */
import type { Command } from 'commander';

interface Entry {
  summary: string;
  load: () => Promise<Command>;
}

export const commands: Record<string, Entry> = {
  demo: {
    summary: 'see a real run on a real repository, from nothing to a change',
    load: async () => (await import('./demo.ts')).demo,
  },
  up: {
    summary: 'start everything for one person: Temporal, a worker, the local forge',
    load: async () => (await import('./up.ts')).up,
  },
  doctor: { summary: 'say what is missing before a first run', load: async () => (await import('./doctor.ts')).doctor },
  run: { summary: 'start a blueprint on a repository', load: async () => (await import('./run.ts')).run },
  check: {
    summary: 'check blueprints and report every problem at once',
    load: async () => (await import('./check.ts')).check,
  },
  runs: { summary: 'list runs', load: async () => (await import('./runs.ts')).runs },
  show: { summary: 'show where a run is', load: async () => (await import('./show.ts')).show },
  follow: { summary: 'show every step of a run as it happens', load: async () => (await import('./follow.ts')).follow },
  logs: { summary: "print what a run's commands wrote", load: async () => (await import('./logs.ts')).logs },
  transcript: {
    summary: 'print the conversation of an agent step',
    load: async () => (await import('./transcript.ts')).transcript,
  },
  diff: { summary: "print the diff of a run's change", load: async () => (await import('./diff.ts')).diff },
  approve: { summary: 'approve what a run asks about', load: async () => (await import('./approve.ts')).approve },
  reject: {
    summary: 'reject what a run asks about, which ends the run',
    load: async () => (await import('./reject.ts')).reject,
  },
  'send-back': {
    summary: 'send the work back to an earlier step with a comment',
    load: async () => (await import('./send-back.ts')).sendBack,
  },
  steer: { summary: 'say something to an agent while it works', load: async () => (await import('./steer.ts')).steer },
  pause: { summary: 'stop a run before its next step', load: async () => (await import('./pause.ts')).pause },
  resume: { summary: 'let a paused run go on', load: async () => (await import('./resume.ts')).resume },
  cancel: { summary: 'end a run and clean up after it', load: async () => (await import('./cancel.ts')).cancel },
  retry: {
    summary: 'start a run again with the same blueprint, repository and inputs',
    load: async () => (await import('./retry.ts')).retry,
  },
  change: {
    summary: 'show, approve and merge changes of the local forge',
    load: async () => (await import('./change.ts')).change,
  },
  repo: {
    summary: 'add, list, update and remove repositories of the local forge',
    load: async () => (await import('./repo.ts')).repo,
  },
  worker: { summary: 'run one worker against any Temporal', load: async () => (await import('./worker.ts')).worker },
};
