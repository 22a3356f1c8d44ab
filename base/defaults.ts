/**
 * Every default, in one place. The workflow, the worker and the reference read these plain data.
 * A blueprint or the configuration can set each one that says how much an author or a team allows.
 */
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

export const defaults = {
  /** Limits on the files of a blueprint's folder, `blueprint.yaml` included. */
  blueprint: {
    maxFiles: 500,
    maxFileBytes: mebibyte,
    maxBytes: 4 * mebibyte,
    /** For files that are sent to a worker which keeps its data elsewhere: a request to Temporal holds 2 MiB in all. */
    maxSentBytes: mebibyte,
  },
  run: {
    /** Waiting for CI and for people isn't counted. */
    timeMs: 60 * minuteMs,
    costUsd: 10,
  },
  timeoutsMs: {
    run: 300 * secondMs,
    check: 300 * secondMs,
    setup: 600 * secondMs,
    agent: 20 * minuteMs,
    /** One command that an agent asks for. */
    agentCommand: 60 * secondMs,
    prompt: 5 * minuteMs,
    edit: 60 * secondMs,
    change: 10 * minuteMs,
    /** Copying a workspace, and restoring a copy. */
    copy: 10 * minuteMs,
  },
  agent: {
    turns: 100,
    attempts: 3,
    tools: ['read', 'edit', 'write', 'search', 'shell'],
    /** A longer output of a tool keeps its first and its last half of this. */
    toolOutputMaxCharacters: 10_000,
    /** Unusable answers in a row that end a step. */
    unusableAnswers: 3,
  },
  ci: { rounds: 2, waitMs: 60 * minuteMs },
  approve: { waitMs: 24 * hourMs, decision: 'reject', rounds: 3 },
  each: { atOnce: 4, tolerate: 0, maxItems: 1000 },
  /**
   * Tries after the first if a model's server, a forge or the machine failed: over more than three minutes, at growing
   * intervals.
   */
  retries: 8,
  /** Tries that were lost with their worker. A lost try says nothing about the next one. */
  lostTries: 20,
  /** How long an activity may wait for a worker and take for all its tries. */
  awayMs: 7 * 24 * hourMs,
  change: {
    draft: false,
    maxFiles: 100,
    maxBytes: 4 * mebibyte,
    /** Globs that no change may touch. */
    protectedPaths: [
      '.github/workflows/**',
      '.github/actions/**',
      '.gitlab-ci.yml',
      '.gitlab/ci/**',
      '.gitea/workflows/**',
      '.forgejo/workflows/**',
      '.circleci/**',
      '.buildkite/**',
      '.woodpecker/**',
      '.woodpecker.yml',
      '.woodpecker.yaml',
      '.travis.yml',
      '.drone.yml',
      '.cirrus.yml',
      '.semaphore/**',
      '.teamcity/**',
      '**/Jenkinsfile',
      '.appveyor.yml',
      'appveyor.yml',
      '.azure-pipelines/**',
      'azure-pipelines.yml',
      'azure-pipelines.yaml',
      'bitbucket-pipelines.yml',
      '**/CODEOWNERS',
      '**/package-lock.json',
      '**/npm-shrinkwrap.json',
      '**/yarn.lock',
      '**/pnpm-lock.yaml',
      '**/bun.lock',
      '**/bun.lockb',
      '**/poetry.lock',
      '**/uv.lock',
      '**/Pipfile.lock',
      '**/Cargo.lock',
      '**/go.sum',
      '**/Gemfile.lock',
      '**/composer.lock',
      '**/pdm.lock',
      '**/pixi.lock',
      '**/deno.lock',
      '**/Podfile.lock',
      '**/Package.resolved',
      '**/pubspec.lock',
      '**/mix.lock',
      '**/flake.lock',
      '**/gradle.lockfile',
      '**/packages.lock.json',
      '**/AGENTS.md',
      '**/AGENTS.override.md',
      '**/CLAUDE.md',
      '**/CLAUDE.local.md',
      '**/GEMINI.md',
      '**/.mcp.json',
      '**/.claude/**',
      '**/.codex/**',
      '**/.gemini/**',
      '**/.cursor/**',
      '**/.cursorrules',
      '**/.windsurfrules',
      '**/.windsurf/**',
      '**/.clinerules',
      '**/.roo/**',
      '**/.aider.conf.yml',
      '**/.continue/**',
      '**/.kiro/**',
      '**/.junie/**',
      '**/.amazonq/**',
      '**/.opencode/**',
      '**/opencode.json',
      '**/.qwen/**',
      '**/.goosehints',
      // Editors, shells and package managers read these when a reviewer opens the branch or installs it.
      '**/.vscode/**',
      '**/.idea/**',
      '**/.zed/**',
      '**/.devcontainer/**',
      '**/.devcontainer.json',
      '**/.envrc',
      '**/.npmrc',
      '**/.yarnrc',
      '**/.yarnrc.yml',
      '**/.yarn/releases/**',
      '**/.yarn/plugins/**',
      '**/.pnpmfile.cjs',
      '**/.pypirc',
      '**/.mvn/**',
      '**/.cargo/config.toml',
      '**/.cargo/config',
      '**/.bundle/config',
      '.github/copilot-instructions.md',
      '.github/instructions/**',
      '**/.husky/**',
      '**/.githooks/**',
      '**/lefthook.yml',
      '**/lefthook.yaml',
      '**/.lefthook.yml',
      '**/.lefthook.yaml',
      '**/.pre-commit-config.yaml',
      '**/.gitmodules',
      // It can hide a file's diff from reviewers, and name programs that run in other people's checkouts.
      '**/.gitattributes',
    ],
  },
  output: {
    /** Characters of a command's output that travel through Temporal. */
    maxKeptBytes: 16 * 1024,
    /** Bytes of one output stream that are kept as an artifact. */
    artifactMaxBytes: 64 * mebibyte,
  },
  sandbox: {
    cpu: 1,
    memoryBytes: 2 * gibibyte,
    diskBytes: 4 * gibibyte,
    processes: 512,
    /** How long a sandbox lives after its last use, if no run is known to need it. */
    leaseMs: 2 * hourMs,
    /** The hard limit on a pod's life. It can't be changed once the pod is made. */
    podLifeMs: 8 * 24 * hourMs,
    /** A run that waits longer than this for a person or for CI lets its sandbox go. */
    releaseAfterMs: 30 * minuteMs,
    /** A larger workspace isn't copied, so its run keeps its sandbox. */
    copyMaxBytes: 512 * mebibyte,
    copyIgnoredMaxBytes: 64 * mebibyte,
  },
} as const;

/** The type of the constants with any number or boolean in place of each literal. */
type Plain<Value> = Value extends number
  ? number
  : Value extends boolean
    ? boolean
    : Value extends object
      ? { [Key in keyof Value]: Plain<Value[Key]> }
      : Value;

const { run, timeoutsMs, agent, ci, approve, each, retries, change, sandbox } = defaults;

/** The defaults that a run decides by. A run keeps the values from when it opened, whatever code goes on with it. */
export const runDefaults = {
  run,
  timeoutsMs,
  agent: { turns: agent.turns, attempts: agent.attempts, tools: agent.tools },
  ci,
  approve,
  each,
  retries,
  change: { draft: change.draft },
  sandbox,
};
export type RunDefaults = Plain<typeof runDefaults>;
