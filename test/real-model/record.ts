/**
 * Records a real model's session of a library's blueprint on its fixture, through the product:
 * `node test/real-model/record.ts python-major-bump blueprints/library/python-major-bump/cases/recording.json`.
 */
import { chooseModel } from '../../model/choose-model.ts';
import { recordTo } from '../../worker/recording.ts';
import { readFixture, readLibrary } from '../e2e/fixtures.ts';
import { createWorld } from '../e2e/harness.ts';
import { ensureModelServer } from './server.ts';

const [name, file] = process.argv.slice(2);
if (name === undefined || file === undefined)
  throw new Error('name a blueprint of the library, and the file for its recording');

const server = await ensureModelServer();
try {
  await using world = await createWorld({ model: recordTo(file, chooseModel({ env: server.env })) });
  const repository = `fixtures/${name}`;
  await world.addRepository(repository, await readFixture(name));
  const { end, state } = await world.run(await readLibrary(name), { repository });
  for (const { path, state: ended, durationMs = 0, note = '' } of state.steps)
    console.log(`${path}: ${ended}, ${(durationMs / 1000).toFixed(1)} s ${note.slice(0, 200)}`);
  console.log(`${end.outcome}: ${end.reason}; ${state.usage.inputTokens + state.usage.outputTokens} tokens`);
  if (state.change) console.log(await world.forge.getDiff(repository, state.change.number));
} finally {
  await server.stop();
}
