/** The result of a claim's measurement, and the table of several. */
export interface Measurement {
  what: string;
  unit: 'ms' | 'MB' | '/s' | 'requests';
  /** The median of the rounds, or another value that `what` names. */
  measured: number;
  /** The same without Jig, measured in the same rounds. */
  floor?: { what: string; measured: number };
  goal?: Goal;
}

/** A goal. `ratio` and `extra` are relative to the floor. */
type Goal = { kind: 'ratio' | 'extra' | 'at-most' | 'at-least'; limit: number };

/** Whether the goal is met; undefined if there is none. */
export function isMet({ measured, floor, goal }: Measurement): boolean | undefined {
  if (!goal) return undefined;
  const base = floor?.measured ?? 0;
  const met = {
    ratio: measured / base <= goal.limit,
    extra: measured - base <= goal.limit,
    'at-most': measured <= goal.limit,
    'at-least': measured >= goal.limit,
  };
  return met[goal.kind];
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2;
}

/** The value below which `percent` percent of the values lie. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN;
}

/** The medians of {@link sample}. */
export async function alternate(...measured: Parameters<typeof sample>): Promise<{ ours: number; floor: number }> {
  const taken = await sample(...measured);
  return { ours: median(taken.ours), floor: median(taken.floor) };
}

/**
 * Measures two things alternately, so that other work on the machine affects both. Every other round, the second goes
 * first.
 */
export async function sample(
  rounds: number,
  ours: (round: number) => Promise<number>,
  floor: (round: number) => Promise<number>,
): Promise<{ ours: number[]; floor: number[] }> {
  const taken = { ours: [] as number[], floor: [] as number[] };
  const both = [
    async (round: number) => taken.ours.push(await ours(round)),
    async (round: number) => taken.floor.push(await floor(round)),
  ];
  for (let round = 0; round < rounds; round += 1)
    for (const one of round % 2 === 0 ? both : both.toReversed()) await one(round);
  return taken;
}

export function renderTable(measurements: Measurement[]): string {
  const rows = [['what', 'measured', 'without Jig', 'ratio', 'goal', ''], ...measurements.map(row)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function row(measurement: Measurement): string[] {
  const { what, unit, measured, floor, goal } = measurement;
  const met = isMet(measurement);
  return [
    what,
    `${rounded(measured)} ${unit}`,
    floor ? `${rounded(floor.measured)} ${unit} (${floor.what})` : '',
    floor ? `${(measured / floor.measured).toFixed(2)} ×` : '',
    goal ? goalText(goal, unit) : '',
    met === undefined ? '' : met ? '✔' : '✖ missed',
  ];
}

function goalText({ kind, limit }: Goal, unit: string): string {
  const texts = {
    ratio: `≤ ${limit} ×`,
    extra: `≤ +${limit} ${unit}`,
    'at-most': `≤ ${limit} ${unit}`,
    'at-least': `≥ ${limit} ${unit}`,
  };
  return texts[kind];
}

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
