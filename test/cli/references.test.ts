import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { RunSummary } from '../../client/client.ts';
import { findChangeReference } from '../../cli/change-reference.ts';
import { resolveRun } from '../../cli/run-reference.ts';
import { toQuery } from '../../cli/runs.ts';
import { parseHostedRepository } from '../../cli/repository.ts';
import { parseInputs } from '../../cli/start-request.ts';

const summary = (runId: string): RunSummary => ({
  runId,
  blueprint: '',
  repository: '',
  requester: '',
  phase: '',
  outcome: undefined,
  needsHuman: false,
  costUsd: 0,
  tokens: 0,
  startedAt: new Date(0),
  endedAt: undefined,
});
const having = (...ids: string[]) => ({
  list: ({ limit = 50 }: { limit?: number } = {}) => Promise.resolve(ids.slice(0, limit).map(summary)),
});

test('a run is named by -, by the end of its id, or by its whole id', async () => {
  const client = having('run/a/b/x/11aa9742', 'run/a/b/x/22bb', 'run/a/b/x/9742');
  assert.equal(await resolveRun(client), 'run/a/b/x/11aa9742');
  assert.equal(await resolveRun(client, '-'), 'run/a/b/x/11aa9742');
  assert.equal(await resolveRun(client, 'bb'), 'run/a/b/x/22bb');
  assert.equal(await resolveRun(client, 'run/not/asked/for'), 'run/not/asked/for');
  // The whole last part goes before ends that only look like it.
  assert.equal(await resolveRun(client, '9742'), 'run/a/b/x/9742');
});

test('a name that fits no run or several runs is refused, and so is - if there are none', async () => {
  const client = having('run/a/b/x/11aa', 'run/a/b/x/22aa');
  await assert.rejects(resolveRun(client, 'aa'), { code: 'run-ambiguous' });
  await assert.rejects(resolveRun(client, 'zz'), { code: 'run-not-found' });
  await assert.rejects(resolveRun(having(), '-'), { code: 'run-not-found' });
});

test('a change is named by repository and number, or by its number if there is one repository', () => {
  assert.deepEqual(findChangeReference(['local/api', '3'], []), { repository: 'local/api', number: 3 });
  assert.deepEqual(findChangeReference(['local/api#3'], ['a/b', 'c/d']), { repository: 'local/api', number: 3 });
  assert.deepEqual(findChangeReference(['3'], ['local/api']), { repository: 'local/api', number: 3 });
  for (const words of [['3'], ['local/api'], ['local/api', '0'], ['local/api', '1', '2'], ['local/api', '-1']]) {
    assert.throws(() => findChangeReference(words, ['a/b', 'c/d']), { code: 'forge-not-found' }, words.join(' '));
  }
});

test("a repository on another forge is named FORGE:OWNER/NAME, and can't be given a CI", () => {
  assert.deepEqual(parseHostedRepository('gitea:acme/API', {}), { forge: 'gitea', name: 'acme/API' });
  assert.deepEqual(parseHostedRepository('git-2:acme/api.x', { branch: 'trunk', ci: [] }), {
    forge: 'git-2',
    name: 'acme/api.x',
    branch: 'trunk',
  });
  for (const reference of [
    'local:acme/api',
    'acme/api',
    './gitea:acme/api',
    'gitea:acme',
    'gitea:acme/api/x',
    'https://git.example.com/acme/api',
  ])
    assert.equal(parseHostedRepository(reference, {}), undefined, reference);
  assert.throws(() => parseHostedRepository('gitea:acme/api', { ci: ['npm test'] }), {
    code: 'invalid-input',
    message: /gitea runs its own checks/,
  });
});

test('inputs are given as name=value, once each, and a value may contain anything', () => {
  assert.deepEqual(parseInputs(['a=1', 'b=x=y', 'c=']), { a: '1', b: 'x=y', c: '' });
  assert.deepEqual(Object.keys(parseInputs(['__proto__=x'])), ['__proto__']);
  for (const words of [['a'], ['=x'], ['a=1', 'a=2']])
    assert.throws(() => parseInputs(words), { code: 'invalid-input' });
});

test("filters are translated to Temporal's, and a quote in a value stays part of it", () => {
  assert.equal(toQuery({}), '');
  assert.equal(
    toQuery({ repo: "a/b' OR '1", needsHuman: true, query: 'JigTokens > 1 OR JigCostUsd > 2' }),
    "JigRepository = 'a/b\\' OR \\'1' AND JigNeedsHuman = true AND ExecutionStatus IN ('Running', 'Completed') AND (JigTokens > 1 OR JigCostUsd > 2)",
  );
});
