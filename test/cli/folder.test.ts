import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { z } from 'zod';
import { startInstallation, type Installation } from './installation.ts';
import { jig } from './jig.ts';

const text = `blueprint: v1
name: mine
steps:
  - id: tool
    run: [ "\${{ blueprint.path }}/tools/say.sh" ]
  - end: { outcome: nothing-to-do, reason: "\${{ steps.tool.stdout }}" }
`;

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
  await installation.addRepository('api', { 'app.py': 'x = 1\n' });
  await mkdir(join(installation.dir, 'mine', 'tools'), { recursive: true });
  await writeFile(join(installation.dir, 'mine', 'blueprint.yaml'), text);
  await writeTool('one');
});
afterAll(() => installation[Symbol.asyncDispose]());

async function writeTool(word: string): Promise<void> {
  const tool = join(installation.dir, 'mine', 'tools', 'say.sh');
  await writeFile(tool, `#!/bin/sh\necho ${word}\n`);
  await chmod(tool, 0o755);
}

const Checked = z.object({ files: z.tuple([z.object({ file: z.string(), sha256: z.string() })]) });

test('a folder is checked and run with all its files; the run has its hash, and a retry has the same files', async () => {
  const { dir, client } = installation;
  const checked = await jig(['check', 'mine', '--json'], { cwd: dir });
  const [{ file, sha256 }] = Checked.parse(JSON.parse(checked.stdout)).files;
  assert.equal(file, 'mine/blueprint.yaml');

  const { runId } = await installation.start('run', './mine', '--repo', 'api');
  assert.equal((await client.result(runId)).reason, 'one');
  const { blueprint } = await client.request(runId);
  assert.equal(blueprint.sha256, sha256);
  assert.ok(blueprint.files && !Array.isArray(blueprint.files), 'the files went by reference');
  const shown = await installation.jig('show');
  assert.match(shown.stdout, new RegExp(`blueprint ${sha256.slice(0, 12)}`));

  await writeTool('two');
  const again = await installation.start('retry', '-');
  assert.equal((await client.result(again.runId)).reason, 'one');
  const anew = await installation.start('run', 'mine/', '--repo', 'api');
  assert.equal((await client.result(anew.runId)).reason, 'two');
});

test('if a file can’t be part of the folder, nothing is started and the message names it', async () => {
  const { dir } = installation;
  const link = join(dir, 'mine', 'tools', 'link');
  await symlink('/etc/passwd', link);
  const [checked, started] = [
    await jig(['check', 'mine'], { cwd: dir }),
    await installation.jig('run', './mine', '--repo', 'api'),
  ];
  await rm(link);
  assert.equal(checked.exitCode, 1);
  assert.match(checked.stdout, /error blueprint-file-refused: "tools\/link" is a symbolic link/);
  assert.match(checked.stdout, /--> mine\/tools\/link:1:1\n\n1 problem/);
  assert.equal(started.exitCode, 2);
  assert.match(started.stderr, /"tools\/link" is a symbolic link/);
  assert.match(started.stderr, /error\[blueprint-invalid\]/);
});

test('a run starts from the branch that is checked out or named, which is no setting of the repository; from a misspelt one nothing starts', async () => {
  const { dir, client } = installation;
  const git = (...args: string[]) => execa('git', args, { cwd: join(dir, 'api') });
  await git('branch', 'late');
  const branchOf = async (...args: string[]): Promise<string | undefined> => {
    const { runId } = await installation.start('run', './mine', ...args);
    await client.result(runId);
    return (await client.request(runId)).repository.branch;
  };
  assert.equal(await branchOf('--repo', 'api', '--branch', 'late'), 'late');
  await git('checkout', '-q', 'late');
  assert.equal(await branchOf('--repo', 'api'), 'late');
  assert.equal(await branchOf('--repo', 'local/api', '--branch', 'late'), 'late');
  await git('checkout', '-q', 'main');
  assert.match((await installation.jig('repo', 'list')).stdout, /^local\/api +main /m);

  const before = (await installation.jig('runs', '--json')).stdout;
  for (const repository of ['api', 'local/api']) {
    const { exitCode, stderr } = await installation.jig('run', './mine', '--repo', repository, '--branch', 'mian');
    assert.equal(exitCode, 2);
    assert.match(stderr, /error\[branch-not-found\][^]*Did you mean [^]*main/);
  }
  assert.equal((await installation.jig('runs', '--json')).stdout, before);
});

test('a folder without a blueprint.yaml is bad input', async () => {
  const { exitCode, stderr } = await jig(['check', 'mine/tools'], { cwd: installation.dir });
  assert.equal(exitCode, 2);
  assert.match(stderr, /error\[blueprint-not-found\]: mine\/tools holds no blueprint\.yaml/);
});
