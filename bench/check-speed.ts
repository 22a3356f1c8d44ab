/** Measures how many blueprints are fully checked in a second of processor time: syntax, shape, references, types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBlueprint } from '../blueprints/check.ts';
import { median, type Measurement } from './measurement.ts';

const library = join(import.meta.dirname, '../blueprints/library');
const rounds = 5;
/** Rounds that are not counted, because Node still compiles in them. */
const warmUps = 3;
/** The processor time of a round, so that other work on the machine doesn't matter. */
const roundMs = 500;

export function checkSpeed(): Measurement[] {
  const texts = readdirSync(library).map((name) => ({
    name: `library/${name}`,
    text: readFileSync(join(library, name, 'blueprint.yaml'), 'utf8'),
  }));
  return [{ name: 'of 40 steps', text: typicalBlueprint(40) }, ...texts].map(({ name, text }) => ({
    what: `blueprints checked, ${name}`,
    unit: '/s',
    measured: median(Array.from({ length: warmUps + rounds }, () => checksPerSecond(name, text)).slice(warmUps)),
    goal: { kind: 'at-least', limit: 500 },
  }));
}

function checksPerSecond(name: string, text: string): number {
  const bytes = Buffer.from(text);
  const before = process.cpuUsage();
  const spentMs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  let count = 0;
  for (; spentMs() < roundMs; count += 1) {
    const { issues } = checkBlueprint(bytes, { file: name });
    if (issues.length > 0) throw new Error(`${name} has problems: ${issues.map(({ message }) => message).join('; ')}`);
  }
  return (count * 1000) / spentMs();
}

/** A blueprint with commands, conditions, references and agents, as people write them. */
function typicalBlueprint(steps: number): string {
  const lines = [
    'blueprint: v1',
    'name: typical',
    'inputs:',
    '  src: { type: string, default: src }',
    'budget: { usd: 3, time: 45m }',
    'steps:',
  ];
  for (let index = 0; index < steps; index += 4) {
    lines.push(
      `  - id: survey_${index}`,
      `    run: grep -rn 'utcnow(' "$SRC" || true`,
      '    env: { SRC: "${{ inputs.src }}" }',
      '    parse: lines',
      `  - id: test_${index}`,
      '    check: [ pytest -q, ruff check . ]',
      `    if: size(steps.survey_${index}.value) > 0`,
      `  - id: fix_${index}`,
      `    if: size(steps.survey_${index}.value) > 0`,
      '    agent:',
      `      task: "Replace every call in \${{ steps.survey_${index}.stdout }}"`,
      '      tools: [ read, edit, search ]',
      '      turns: 20',
      '    verify: [ pytest -q ]',
      '    attempts: 2',
      `  - id: note_${index}`,
      `    run: [ echo, "\${{ inputs.src }}: \${{ size(steps.survey_${index}.value) }} places" ]`,
    );
  }
  return `${lines.join('\n')}\n`;
}
