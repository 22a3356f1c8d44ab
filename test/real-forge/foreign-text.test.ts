import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { createGiteaFixture, type GiteaFixture } from './gitea-fixture.ts';
import { findMissingBuildTool } from './gitea-program.ts';

const skip = (await findMissingBuildTool()) !== undefined;
let gitea: GiteaFixture;
beforeAll(async () => {
  if (!skip) gitea = await createGiteaFixture();
});
afterAll(async () => {
  if (!skip) await gitea.close();
});

test('a comment or a fork with a copied marker does not count as Jig’s', { skip }, async () => {
  const wanted = await gitea.pushWanted();
  const { number } = await gitea.forge.ensureChange(wanted);
  const comment = { repository: gitea.repository, number, marker: 'mine', body: 'Mine.' };
  await gitea.forge.ensureComment(comment);
  const {
    data: [own],
  } = await gitea.acme.api.repos.issueGetComments('acme', 'API', number);
  await gitea.bot.api.repos.issueDeleteComment('acme', 'API', own?.id ?? 0);
  await gitea.acme.api.repos.issueCreateComment('acme', 'API', number, { body: own?.body ?? '' });
  await gitea.forge.ensureComment(comment);
  assert.equal(await gitea.countComments(number, 'Mine.'), 2);

  const forker = await gitea.server.createUser('forker');
  await gitea.acme.api.repos.repoAddCollaborator('acme', 'API', 'forker', { permission: 'read' });
  await forker.api.repos.createFork('acme', 'API', {});
  const {
    data: { body },
  } = await gitea.acme.api.repos.repoGetPullRequest('acme', 'API', number);
  await forker.api.repos.repoCreatePullRequest('acme', 'API', {
    head: `forker:${wanted.branch}`,
    base: 'main',
    title: 'Mine too',
    body: body ?? '',
  });
  await gitea.forge.closeChange(gitea.repository, number, 'to make room');
  assert.deepEqual(
    [
      (await gitea.forge.ensureChange(wanted)).number,
      (await gitea.forge.findChange(gitea.repository, { branch: wanted.branch }))?.number,
    ],
    [number, number],
  );
});

test('nobody is notified, no issue is closed or linked, and no picture is on the page', { skip }, async () => {
  const { acme, bot } = gitea;
  const { data: issue } = await acme.api.repos.issueCreateIssue('acme', 'API', { title: 'Stays open' });
  const reader = await gitea.server.createUser('reader');
  await acme.api.repos.repoAddCollaborator('acme', 'API', 'reader', { permission: 'read' });
  await reader.api.repos.userCurrentDeleteSubscription('acme', 'API');
  const address = `${gitea.server.url}/acme/API/issues/${issue.number}`;
  const hostile = `@reader closes #${issue.number}, fixes acme/API#${issue.number} resolves ${address}\n\ncloses ${address}\n\n&#64;reader ![](https://evil.example/?d=1) [[https://evil.example/x.png]] <img src="https://evil.example/y">\n\n\\[\\[https://evil.example/z.png]]\n\n\`\`\`\n@reader\n\`\`\``;
  const wanted = { ...(await gitea.pushWanted()), title: `@reader fixes #${issue.number}`, body: hostile };
  const change = await gitea.forge.ensureChange(wanted);
  await gitea.forge.ensureComment({
    repository: gitea.repository,
    number: change.number,
    marker: 'hostile',
    body: hostile,
  });
  const { data: page } = await bot.api.markdown.renderMarkdown(
    { Text: change.body, Mode: 'comment', Context: 'acme/API' },
    { format: 'text' },
  );
  assert.match(page, /evil\.example/);
  assert.doesNotMatch(page, /<img|<a[^>]*class="[^"]*(?:mention|ref-issue)/);
  await gitea.merge(change.number);
  assert.equal((await acme.api.repos.issueGetIssue('acme', 'API', issue.number ?? 0)).data.state, 'open');
  const { data: timeline } = await acme.api.repos.issueGetCommentsAndTimeline('acme', 'API', issue.number ?? 0);
  assert.deepEqual(
    (timeline ?? []).map(({ type }) => type),
    [],
  );

  // The same text as it came does all of that, and after it did nothing else has come either.
  await acme.api.repos.issueCreateIssue('acme', 'API', { title: 'Raw', body: hostile });
  assert.notEqual((await acme.api.repos.issueGetCommentsAndTimeline('acme', 'API', issue.number ?? 0)).data.length, 0);
  const told = async () =>
    (await reader.api.notifications.notifyGetList({ all: true })).data.map(({ subject }) => subject?.title);
  const deadlineMs = Date.now() + 20_000;
  while ((await told()).length === 0 && Date.now() < deadlineMs) await delay(50);
  assert.deepEqual(await told(), ['Raw']);
});
