import { Command } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { note, oneLine, paintErr, paintOut, print, printJson } from './output.ts';
import { addProcessOptions, readConfig, type ProcessOptions } from './process-options.ts';

const signs = { ok: ['green', '✔'], note: ['yellow', '·'], missing: ['red', '✖'] } as const;

export const doctor = addProcessOptions(new Command('doctor'))
  .description(
    'Says what is missing before a first run: programs, sandboxes, Temporal, a model. It leaves nothing behind.',
  )
  .option('--json', 'print every finding with its code as one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig doctor
  jig doctor --config jig.yaml --json

With sandbox.provider kubernetes, it checks each permission and whether the cluster admits a sandbox, and it tests
from inside a pod that the network is denied. Exit code 1: something that every run needs is missing.
`,
  )
  .action(async (options: ProcessOptions & { json?: true }) => {
    const config = await readConfig(options);
    const { examine } = await import('../worker/doctor.ts');
    const findings = [];
    for await (const finding of examine(
      config,
      process.env,
      (what) => options.json ?? note(paintErr('dim', `looking at ${what} …`)),
    )) {
      findings.push(finding);
      if (options.json) continue;
      const { what, state, message, code, hint } = finding;
      const [color, sign] = signs[state];
      print(`${paintOut(color, sign)} ${what}: ${oneLine(message, 500)}${code ? paintOut('dim', ` (${code})`) : ''}`);
      if (hint) print(`  ${oneLine(hint, 500)}`);
    }
    const isReady = findings.every(({ state }) => state !== 'missing');
    if (options.json) printJson({ ready: isReady, findings });
    else print(isReady ? '\nReady.' : '\nSomething is missing; each line above says what to do.');
    process.exitCode = isReady ? exitCodes.done : exitCodes.failed;
  });
