/** Of the sandbox contract: where a blueprint's files are, and that no command changes them. */
import assert from 'node:assert/strict';
import { it } from 'vitest';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import type { Sandbox, SandboxProvider } from '../../sandbox/contract.ts';
import { runShell, sandboxSpec } from './fixtures.ts';

const written = (path: string, text: string, executable = false): BlueprintFile => ({
  path,
  executable,
  base64: Buffer.from(text).toString('base64'),
});

export const blueprintFiles = [
  written('find.sh', '#!/bin/sh\necho found by "$0"\n', true),
  written('deep/down/data with space.txt', 'ünï\n\n'),
  written('deep/empty', ''),
];

/** Says everything of the folder: each path with its content and whether it can be executed. */
export const tellAll =
  'cd "$JIG_BLUEPRINT" && for f in find.sh "deep/down/data with space.txt" deep/empty; do [ -x "$f" ] && x=+ || x=-; echo "$x $f $(sha256sum <"$f")"; done';

export function blueprintRules(getProvider: () => SandboxProvider): void {
  const withSandbox = async (name: string, files: BlueprintFile[], work: (sandbox: Sandbox) => Promise<void>) => {
    const id = `run/acme/blueprint-${name}`;
    const sandbox = await getProvider().ensureSandbox(sandboxSpec(id, { blueprint: files }));
    try {
      await work(sandbox);
    } finally {
      await getProvider().destroySandbox(id);
    }
  };

  it('are found by JIG_BLUEPRINT and by the provider’s path, with the same bytes and the same executable bit', async () => {
    await withSandbox('read', blueprintFiles, async (sandbox) => {
      const script =
        '"$JIG_BLUEPRINT/find.sh" && cat "$FOLDER/deep/down/data with space.txt" && [ ! -s "$FOLDER/deep/empty" ] && ls "$FOLDER"';
      const { stdout, result } = await runShell(sandbox, 'read', script, {
        env: { FOLDER: getProvider().blueprintPath },
      });
      assert.equal(result.exitCode, 0);
      assert.match(stdout, /^found by \/.*\/find\.sh\nünï\n\ndeep\nfind\.sh\n$/);
    });
  });

  it('are the same for every worker and every command', async () => {
    await withSandbox('same', blueprintFiles, async (sandbox) => {
      const first = await runShell(sandbox, 'first', tellAll);
      assert.match(first.stdout, /^\+ find\.sh \w{64} +-\n- deep/);
      const found = await getProvider().getSandbox(sandbox.ref);
      assert.equal((await runShell(found, 'second', `mkdir -p other && cd other && ${tellAll}`)).stdout, first.stdout);
      const again = await getProvider().ensureSandbox(sandboxSpec(sandbox.ref.id, { blueprint: blueprintFiles }));
      assert.equal(again.ref.incarnation, sandbox.ref.incarnation);
      assert.equal((await runShell(again, 'third', tellAll)).stdout, first.stdout);
    });
  });

  it('can’t be changed, added to or removed by a command', async ({ skip }) => {
    skip(getProvider().capabilities.isolation === 'none', 'plain processes have the worker’s own rights');
    await withSandbox('write', blueprintFiles, async (sandbox) => {
      const before = await runShell(sandbox, 'before', tellAll);
      const attacks = [
        'echo x >"$JIG_BLUEPRINT/find.sh"',
        'echo x >"$JIG_BLUEPRINT/new"',
        'echo x >"$JIG_BLUEPRINT/deep/new"',
        'mkdir "$JIG_BLUEPRINT/folder"',
        'chmod 777 "$JIG_BLUEPRINT" || chmod -R u+w "$JIG_BLUEPRINT"',
        'rm -rf "$JIG_BLUEPRINT/deep"',
        'mv "$JIG_BLUEPRINT" "$HOME/gone"',
        'ln -s /etc/passwd "$JIG_BLUEPRINT/link"',
        'mount -o remount,rw "$JIG_BLUEPRINT"',
      ];
      for (const [index, attack] of attacks.entries()) {
        const { result } = await runShell(sandbox, `attack-${index}`, attack);
        assert.notEqual(result.exitCode, 0, attack);
      }
      assert.equal((await runShell(sandbox, 'after', tellAll)).stdout, before.stdout);
    });
  });

  it('are an empty folder, also read-only, if the blueprint is a lone file', async () => {
    await withSandbox('lone', [], async (sandbox) => {
      const { stdout, result } = await runShell(sandbox, 'lone', 'cd "$JIG_BLUEPRINT" && ls -A');
      assert.deepEqual([stdout, result.exitCode], ['', 0]);
      if (getProvider().capabilities.isolation === 'none') return;
      assert.notEqual((await runShell(sandbox, 'write', 'touch "$JIG_BLUEPRINT/x"')).result.exitCode, 0);
    });
  });
}
