import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'vitest';
import { forgetStep, itemKey, nameStep, recordItem, type Item } from '../../workflows/journal.ts';
import { newMemory, type EditUndo, type RunMemory } from '../../workflows/memory.ts';
import type { RunState } from '../../workflows/messages.ts';
import { rememberGates } from '../../workflows/steps/check.ts';

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a journal reads nothing of what is shown
const shown = {} as RunState;
/** Names that begin alike, of steps and of a block with two items, whose steps have such names too. */
const outside = ['a', 'a2', 'block', 'blocks', 'z'];
const inside = ['a', 'block', 'x'];

/** Walks over the steps as the interpreter does, and sends work back at random. */
class Walker {
  readonly memory: RunMemory = newMemory(shown);
  /** The keys of all effects so far. */
  readonly used = new Set<string>();
  /** The edits that stand. */
  readonly standing = new Map<number, string>();
  #draws: number[];

  constructor(draws: number[]) {
    this.#draws = [...draws];
  }

  walk(ids: string[], item?: Item): void {
    for (let index = 0; index < ids.length; index += 1) {
      const name = nameStep(this.memory, ids[index] ?? '', item);
      if (!this.memory.records[name.key]) this.#carryOut(name.key, ids[index] ?? '', item);
      const back = this.#draws.pop() ?? 0;
      if (back === 0) continue;
      index = Math.max(index - back, 0);
      this.#sendBack(ids.slice(index), item);
      index -= 1;
    }
  }

  #carryOut(key: string, id: string, item?: Item): void {
    assert.ok(!this.used.has(key), `${key} names two effects`);
    this.used.add(key);
    if (!item && id === 'block') return this.#block(key);
    rememberGates(
      this.memory,
      key,
      [
        { shown: id, argv: [key], env: {} },
        { shown: '', argv: ['all'], env: {} },
      ],
      1000,
    );
    const order = (this.memory.counts.edits += 1);
    this.standing.set(order, key);
    this.memory.records[key] = { outcome: 'succeeded', outputs: {}, undo: [edit(order, key)] };
  }

  #block(key: string): void {
    for (const index of [0, 1, 10]) {
      const item = { path: 'block', key, index };
      if (this.memory.records[itemKey(item)]) continue;
      this.walk(inside, item);
      const record = recordItem(this.memory, item, { outcome: 'succeeded' });
      assert.equal(record.undo?.length, inside.length, 'an item keeps the edits of its steps');
    }
    this.memory.records[key] = { outcome: 'succeeded', outputs: {} };
  }

  #sendBack(ids: string[], item?: Item): void {
    const names = ids.map((id) => nameStep(this.memory, id, item));
    const undone = names.flatMap((name) => forgetStep(this.memory, name));
    for (const { order } of undone) assert.ok(this.standing.delete(order), `the edit ${order} is undone once`);
    for (const { key } of names) {
      const isOf = (kept: string) => kept === key || kept.startsWith(`${key}[`);
      for (const kept of Object.keys(this.memory.records)) assert.ok(!isOf(kept), `${kept} is forgotten`);
      for (const kept of this.standing.values()) assert.ok(!isOf(kept), `the edit of ${kept} is undone`);
    }
  }
}

const edit = (order: number, path: string): EditUndo => ({
  order,
  path,
  old: '',
  new: '',
  all: false,
  before: { sha256: '', sizeBytes: 0, mediaType: '' },
  afterSha256: '',
});

test('a key names one effect over all rounds, and work that is sent back is forgotten whole, with nothing beside it', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.integer({ min: -6, max: 5 }).map((back) => Math.max(back, 0)),
        { maxLength: 60 },
      ),
      (draws) => {
        const walker = new Walker(draws);
        const { memory } = walker;
        walker.walk(outside);
        const done = Object.values(memory.records).flatMap(({ undo = [] }) => undo.map(({ order }) => order));
        assert.equal(done.length, walker.standing.size);
        assert.deepEqual(new Set(done), new Set(walker.standing.keys()), 'the edits that stand are on record');
        const keys = new Set(walker.standing.values());
        for (const { argv, steps } of memory.gates) {
          const [command = ''] = argv;
          assert.deepEqual(
            new Set(steps),
            command === 'all' ? keys : new Set([command]),
            'gates of what stands, alone',
          );
        }
        assert.equal(memory.gates.length, keys.size + 1);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a block that is sent back gives new names to all that is in it', () => {
  const memory = newMemory(shown);
  const item = () => ({ path: 'each', key: nameStep(memory, 'each').key, index: 3 });
  assert.deepEqual(nameStep(memory, 'ask', item()), { path: 'each[3].ask', base: 'each[3].ask', key: 'each[3].ask' });
  forgetStep(memory, nameStep(memory, 'ask', item()));
  assert.equal(nameStep(memory, 'ask', item()).key, 'each[3].ask#2');
  forgetStep(memory, nameStep(memory, 'each'));
  assert.deepEqual(nameStep(memory, 'ask', item()), {
    path: 'each[3].ask',
    base: 'each#2[3].ask',
    key: 'each#2[3].ask',
  });
});
