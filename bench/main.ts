/** Measures the costs that Jig claims. Each claim has a file; without names, all of them run. */
import { checkSpeed } from './check-speed.ts';
import { clusterCost } from './cluster-cost.ts';
import { commandCost } from './command-cost.ts';
import { isMet, renderTable, type Measurement } from './measurement.ts';
import { stepAndTurnCost } from './step-and-turn-cost.ts';
import { upAndIdle } from './up-and-idle.ts';

const claims: Record<string, () => Promise<Measurement[]>> = {
  check: async () => checkSpeed(),
  command: commandCost,
  temporal: stepAndTurnCost,
  up: upAndIdle,
  cluster: clusterCost,
};

const words = process.argv.slice(2);
const json = words.includes('--json');
const names = words.filter((word) => word !== '--json');
const unknown = names.filter((name) => !Object.hasOwn(claims, name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is nothing called ${unknown.join(', ')} to measure: ${Object.keys(claims).join(', ')}, --json\n`,
  );
  process.exit(2);
}

const measurements: Measurement[] = [];
for (const [name, measure] of Object.entries(claims)) {
  if (names.length > 0 && !names.includes(name)) continue;
  // The cluster measurement runs only if it is named, because it starts a cluster.
  if (name === 'cluster' && names.length === 0) continue;
  process.stderr.write(`measuring ${name} …\n`);
  measurements.push(...(await measure()));
}
if (json)
  process.stdout.write(
    `${JSON.stringify(
      measurements.map((each) => ({ ...each, met: isMet(each) })),
      null,
      2,
    )}\n`,
  );
else process.stdout.write(`${renderTable(measurements)}\n`);
process.exit(0);
