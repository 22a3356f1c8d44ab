import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { importsOf, productSources, type Import } from './sources.ts';

/** A folder, or a file, that a part may import; its value, its types, or only when it is asked for. */
interface Allowed {
  to: string;
  how?: Import['how'][];
  /** Only these files of the part. */
  from?: string[];
}

const types = (...folders: string[]): Allowed[] => folders.map((to) => ({ to: `${to}/`, how: ['type'] }));
const all = (...paths: string[]): Allowed[] => paths.map((to) => ({ to: /\.\w+$/.test(to) ? to : `${to}/` }));

/** What each part may import of ours: the only place where this is written. Each part may import itself. */
const allowed: Record<string, Allowed[]> = {
  base: [],
  blueprints: [],
  evidence: all('blueprints'),
  // The loop's pure half speaks of messages, which the model's contract defines.
  agent: [...all('blueprints'), ...all('model/contract.ts')],
  sandbox: all('blueprints'),
  forge: all('blueprints'),
  git: all('blueprints'),
  artifacts: all('blueprints'),
  model: all('blueprints'),
  binaries: all('blueprints'),
  demo: all('blueprints', 'binaries'),
  k8s: all('blueprints', 'sandbox'),
  workflows: [
    ...all('blueprints', 'agent', 'evidence'),
    ...types('activities', 'git', 'sandbox', 'forge', 'artifacts', 'model'),
    // The door checks what comes in by their schemas, which are pure.
    { to: 'artifacts/contract.ts', from: ['workflows/messages.ts'] },
    { to: 'model/contract.ts', from: ['workflows/messages.ts'] },
  ],
  activities: [
    ...all('blueprints', 'agent', 'evidence'),
    ...all(
      'sandbox/contract.ts',
      'sandbox/errors.ts',
      'forge/contract.ts',
      'forge/errors.ts',
      'git/contract.ts',
      'artifacts/contract.ts',
      'model/contract.ts',
    ),
    // The run's request is checked by the worker once more.
    ...all('workflows/messages.ts'),
    // Pure, or built on the contract alone: no adapter is behind them.
    ...all('git/sandbox-scripts.ts', 'git/copy-scripts.ts', 'git/globs.ts', 'sandbox/files.ts', 'forge/neutralize.ts'),
  ],
  client: [...all('blueprints', 'workflows/messages.ts'), ...types('artifacts')],
  worker: [
    ...all(
      'blueprints',
      'agent',
      'evidence',
      'sandbox',
      'forge',
      'git',
      'artifacts',
      'model',
      'binaries',
      'activities',
      'demo',
      'k8s',
    ),
    ...all('workflows/messages.ts'),
    // One record says where data and a running `jig up` are, to who writes it and to who reads it.
    ...all('client/up-record.ts', 'client/data-folders.ts'),
    // Which versions have workers is looked up in one way, and a version has Jig's number in it.
    ...all('client/versions.ts', 'package.json'),
    // The doctor connects as everyone does.
    { to: 'client/client.ts', from: ['worker/doctor.ts'] },
  ],
  cli: [
    ...all('blueprints', 'client'),
    ...types('workflows', 'worker', 'forge', 'artifacts'),
    // Evidence and transcripts are read from the store, and held to the schemas by which they were written.
    ...all('artifacts/contract.ts', 'artifacts/errors.ts', 'model/contract.ts', 'workflows/messages.ts'),
    ...all('evidence/gate.ts'),
    // Its own version.
    ...all('package.json'),
    // A person's own forge and store are folders on this machine, and no server stands before them.
    ...all('forge/errors.ts'),
    { to: 'forge/local/', how: ['dynamic'], from: ['cli/local-data.ts'] },
    { to: 'artifacts/folder.ts', how: ['dynamic'], from: ['cli/local-data.ts'] },
    { to: 'demo/', how: ['dynamic'], from: ['cli/demo.ts'] },
    // The commands that are a worker; the others must start fast, and on machines without one.
    {
      to: 'worker/',
      how: ['dynamic'],
      from: ['cli/up.ts', 'cli/worker.ts', 'cli/demo.ts', 'cli/doctor.ts', 'cli/process-options.ts'],
    },
  ],
  // It runs before anything is installed, and starts cli/main.ts by its path.
  bin: [],
  // What developers run.
  scripts: [
    ...all('bin/install.mjs', 'blueprints', 'evidence'),
    // Pages of the reference are made from what they describe.
    ...all('worker/config.ts', 'cli/commands.ts', 'cli/top-help.ts', 'model/dialect.ts', 'model/presets.ts'),
  ],
  // What is measured, made as the end-to-end tests make it.
  bench: all(
    'blueprints',
    'sandbox',
    'model',
    'binaries',
    'activities',
    'worker',
    'test/e2e',
    'test/cluster/cluster.ts',
  ),
  'vitest.config.ts': all('test/runner'),
};

const imports = productSources.flatMap(importsOf);
const partOf = (path: string): string => path.split('/')[0] ?? '';

function isAllowed({ from, to, how }: Import): boolean {
  if (partOf(from) === partOf(to)) return true;
  // What all stand on; but bin/ runs before anything is installed.
  if (partOf(to) === 'base') return partOf(from) !== 'bin';
  return (allowed[partOf(from)] ?? []).some(
    (rule) =>
      (rule.to.endsWith('/') ? to.startsWith(rule.to) : to === rule.to) &&
      (rule.how ?? [how]).includes(how) &&
      (rule.from ?? [from]).includes(from),
  );
}

describe('imports', () => {
  it('are found, whatever their form', () => {
    const text =
      "import { a } from './a.ts';\nimport type { B } from '../b.ts';\nimport { type C, type D } from './c.ts';\nimport {\n  e,\n  type F,\n} from './e.ts';\nimport './g.ts';\nexport { h } from './h.ts';\nconst i = await import('./i.ts');\ntype J = typeof import('./j.ts');\nimport fs from 'node:fs';\n";
    assert.deepEqual(
      importsOf({ path: 'x/y.ts', text })
        .map(({ to, how }) => `${how} ${to}`)
        .toSorted(),
      [
        'dynamic x/i.ts',
        'type b.ts',
        'type x/c.ts',
        'type x/j.ts',
        'value x/a.ts',
        'value x/e.ts',
        'value x/g.ts',
        'value x/h.ts',
      ],
    );
    assert.ok(imports.length > 300, `only ${imports.length} imports were read`);
  });

  it('follow the rules of their part', () => {
    const refused = imports.filter((each) => !isAllowed(each)).map(({ from, to, how }) => `${from} → ${to} (${how})`);
    assert.deepEqual(refused, []);
  });

  it('that are allowed are also used', () => {
    const unused = Object.entries(allowed).flatMap(([part, rules]) =>
      rules
        .filter(
          (rule) =>
            productSources.some(({ path }) => partOf(path) === part) &&
            productSources.some(({ path }) => path.startsWith(rule.to)),
        )
        .filter(
          (rule) => rule.to.endsWith('.ts') && !imports.some(({ from, to }) => partOf(from) === part && to === rule.to),
        )
        .map(({ to }) => `${part} → ${to}`),
    );
    assert.deepEqual(unused, []);
  });

  it('of test code never occur in product code', () => {
    assert.deepEqual(
      imports
        .filter(({ from, to }) => to.startsWith('test/') && !['bench', 'vitest.config.ts'].includes(partOf(from)))
        .map(({ from, to }) => `${from} → ${to}`),
      [],
    );
  });

  it('of the defaults never occur in workflow code, which uses the settings that were pinned when the run opened', () => {
    const readers = imports.filter(({ from, to, how }) => {
      return partOf(from) === 'workflows' && to === 'base/defaults.ts' && how !== 'type';
    });
    // How often an activity is tried again where its worker is lost is nothing that a run decides.
    assert.deepEqual(
      readers.map(({ from }) => from),
      ['workflows/perform.ts'],
    );
  });

  it('of values form no cycle', () => {
    const next = Map.groupBy(
      imports.filter(({ how }) => how === 'value'),
      ({ from }) => from,
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, way: string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      if (done.has(path) || way.includes(path)) return;
      for (const { to } of next.get(path) ?? []) visit(to, [...way, path]);
      done.add(path);
    };
    for (const path of next.keys()) visit(path, []);
    // A step kind that holds steps walks them, and the walk knows the step kinds.
    assert.deepEqual(
      circles.filter(
        (circle) => !(circle.includes('workflows/interpreter.ts') && circle.includes('workflows/steps/each.ts')),
      ),
      [],
    );
  });
});
