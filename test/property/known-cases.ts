/** Cases that once had a wrong result, by what they show. */
import { ada, type Case } from './case.ts';

const plain: Omit<Case, 'steps'> = {
  files: { page: '' },
  continueAfterEvents: 0,
  releaseAfterMs: 3_600_000,
  answers: {},
  answersWhileGoingOn: false,
  moments: [],
  lostResults: [],
};
const answer = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] };
const prompt = (name: string) => ({ text: `#${name} Which word?`, answer });

export const knownCases: Record<string, Case> = {
  'an agent leaves a share of the budget to prompts that are asked at the same time': {
    ...plain,
    steps: [
      {
        id: 's1',
        each: "${{ ['a', 'b'] }}",
        as: 'first',
        'at-once': 2,
        do: [
          { id: 's2', prompt: prompt('s2-${{ first }}') },
          { id: 's3', agent: { task: '#s3-${{ first }} Do it.' } },
        ],
      },
    ],
    moments: [
      { path: 's1[1].s2', time: 1, breaks: 'unusable' },
      { path: 's1[1].s2', time: 2, breaks: 'unusable' },
      { path: 's1[0].s3', time: 1, breaks: 'unusable' },
    ],
  },
  'a prompt that got no answer reads the comment when it is sent back': {
    ...plain,
    steps: [
      { id: 's1', 'on-failure': 'continue', prompt: prompt('s1') },
      { id: 's2', approve: {} },
    ],
    answers: { s2: [[{ kind: 'sendBack', by: ada, comment: '«c1»' }]] },
    moments: [1, 2, 3].map((time) => ({ path: 's1', time, breaks: 'unusable' })),
  },
  'a lost sandbox does not come back on a copy that lacks the work of a failed step': {
    ...plain,
    releaseAfterMs: 1,
    steps: [
      { id: 's1', approve: {} },
      { id: 's2', 'on-failure': 'continue', run: ['append', 'f-s2', 'line'] },
      { id: 's3', run: ['append', 'f-s3', 'line'] },
    ],
    moments: [
      { path: 's2', time: 1, breaks: 'exit' },
      { path: 's3', time: 1, breaks: 'lost' },
    ],
  },
};
