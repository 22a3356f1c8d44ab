/** What one case of the property test is: a blueprint, what people do and what breaks. Plain data, printed as JSON. */
import type { Step } from '../../blueprints/schema.ts';

export interface Case {
  steps: Step[];
  /** The repository's files. */
  files: Record<string, string>;
  /** The number of events after which a run continues as a new execution; 0: never. */
  continueAfterEvents: number;
  /** How long a run that waits keeps its sandbox. */
  releaseAfterMs: number;
  /** What people answer to a question, each time that it is asked. In the end, somebody who may approves it. */
  answers: Record<string, Attempt[][]>;
  /** Whether people also answer questions while the run continues as a new execution. */
  answersWhileGoingOn: boolean;
  moments: Moment[];
  /** The numbers of the activities whose results are lost on the way, so that they are tried again. */
  lostResults: number[];
}

export interface Attempt {
  kind: 'approve' | 'reject' | 'sendBack';
  by: string;
  /** Its words between « and » are for the scripted model. */
  comment: string;
  to?: string;
}

/** Something that happens during a step's command or question. `time` says which one, from 1. */
export interface Moment {
  path: string;
  time: number;
  /** `exit`: the command fails; `unusable`: the answer is; `lost`: the sandbox is; `store`: nothing can be stored. */
  breaks?: 'exit' | 'unusable' | 'lost' | 'store';
  tells?: Told;
}

export type Told = { kind: 'pause' | 'resume' | 'cancel' | 'approve' | 'steer'; step?: string; text?: string };

/** The path of moments at which a run continues as a new execution. */
export const goingOn = '(going on)';
/** The path of moments at which a run cleans up. */
export const cleaningUp = '(cleaning up)';
export const ada = 'ada';

/** The words of a text that are for the scripted model: those between « and ». */
export const heardIn = (text: string): string[] => [...text.matchAll(/«([^»]*)»/g)].map(([, word]) => word ?? '');
