/** What one case of the property test is: a blueprint, what people do and what breaks. Plain data, printed as JSON. */
import type { Step } from '../../blueprints/schema.ts';

export interface Case {
  steps: Step[];
  /** The repository's files. */
  files: Record<string, string>;
  /** After so many events a run goes on as a new execution; 0 for never. */
  continueAfterEvents: number;
  /** How long a run that waits keeps its sandbox. */
  releaseAfterMs: number;
  /** What people try at a question, for each time that it is asked; whoever may approves what is left. */
  answers: Record<string, Attempt[][]>;
  /** Whether people answer open questions also while the run goes on as a new execution. */
  answersWhileGoingOn: boolean;
  moments: Moment[];
  /** Activities, counted, whose result is lost on the way, so that they are tried again. */
  lostResults: number[];
}

export interface Attempt {
  kind: 'approve' | 'reject' | 'sendBack';
  by: string;
  /** Said between « and », so that the scripted model hears it. */
  comment: string;
  to?: string;
}

/** Something that happens while a step's command or question is at work, the n-th time, from 1. */
export interface Moment {
  path: string;
  time: number;
  /** `exit`: the command fails; `unusable`: so is the answer; `lost`: so is the sandbox; `store`: nothing can be kept. */
  breaks?: 'exit' | 'unusable' | 'lost' | 'store';
  tells?: Told;
}

export type Told = { kind: 'pause' | 'resume' | 'cancel' | 'approve' | 'steer'; step?: string; text?: string };

/** The path of the moments at which a run goes on as a new execution. */
export const goingOn = '(going on)';
/** And at which it cleans up. */
export const cleaningUp = '(cleaning up)';
export const ada = 'ada';

/** What a text says to the scripted model: all words between « and ». */
export const heardIn = (text: string): string[] => [...text.matchAll(/«([^»]*)»/g)].map(([, word]) => word ?? '');
