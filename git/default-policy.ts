import type { ExportPolicy } from './contract.ts';

/** What holds where neither the configuration nor the blueprint says otherwise. */
export const defaultExportPolicy: ExportPolicy = {
  maxFiles: 100,
  maxBytes: 4_000_000,
  protectedPaths: [
    // What runs in CI, and who must review.
    '.github/{workflows,actions}', '.gitlab-ci.yml', '.gitlab/ci', '.circleci', '.gitea/workflows', '.forgejo/workflows', '.buildkite', '.drone.yml',
    '.travis.yml', 'azure-pipelines.yml', 'bitbucket-pipelines.yml', '**/Jenkinsfile', '**/CODEOWNERS',
    // What is installed.
    '**/{package-lock.json,npm-shrinkwrap.json,yarn.lock,pnpm-lock.yaml,bun.lock,bun.lockb,deno.lock}', '**/{poetry.lock,uv.lock,pdm.lock,Pipfile.lock}',
    '**/{Cargo.lock,go.sum,Gemfile.lock,composer.lock,mix.lock,pubspec.lock,Podfile.lock,packages.lock.json,gradle.lockfile}',
    // What steers agents.
    '**/{AGENTS.md,CLAUDE.md,GEMINI.md,.cursorrules,.mcp.json}', '**/{.claude,.cursor,.agents}', '.github/copilot-instructions.md',
    // What git runs, fetches or converts on every checkout.
    '**/{.husky,.githooks,.gitattributes,.gitmodules}', '**/{.pre-commit-config.yaml,lefthook.yml}',
  ],
};
