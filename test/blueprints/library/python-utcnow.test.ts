import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { libraryProgram } from './program.ts';

const program = libraryProgram('python-utcnow', 'utcnow.py');
const fromImport = 'from datetime import datetime, timedelta\n\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-utcnow-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
async function repository(source: string, path = 'package/module.py') {
  const cwd = join(folder, String(++count));
  await mkdir(dirname(join(cwd, path)), { recursive: true });
  await writeFile(join(cwd, path), source);
  const run = async (mode: string) =>
    (await execa('python3', [program, ...mode.split(' ')], { cwd, env: { HOME: cwd } })).stdout;
  return { run, text: () => readFile(join(cwd, path), 'utf8') };
}

const rewritten: [rule: string, before: string, after: string][] = [
  [
    'a chain that never shows the zone becomes aware',
    'now = datetime.utcnow().date()\n',
    'now = datetime.now(timezone.utc).date()\n',
  ],
  [
    'a format without a zone becomes aware',
    'text = datetime.utcnow().strftime("%H:%M")\n',
    'text = datetime.now(timezone.utc).strftime("%H:%M")\n',
  ],
  [
    'a format with a zone stays naive',
    'text = datetime.utcnow().strftime("%H:%M%z")\n',
    'text = datetime.now(timezone.utc).replace(tzinfo=None).strftime("%H:%M%z")\n',
  ],
  [
    'isoformat() stays naive',
    'text = datetime.utcnow().isoformat()\n',
    'text = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()\n',
  ],
  [
    'a comparison stays naive',
    'old = datetime.utcnow() > other\n',
    'old = datetime.now(timezone.utc).replace(tzinfo=None) > other\n',
  ],
  [
    'what is subtracted from another datetime stays naive',
    'left = end - datetime.utcnow()\n',
    'left = end - datetime.now(timezone.utc).replace(tzinfo=None)\n',
  ],
  [
    'an argument is kept',
    'day = datetime.utcfromtimestamp(f(x)).date()\n',
    'day = datetime.fromtimestamp(f(x), timezone.utc).date()\n',
  ],
  [
    'a local variable is followed to its uses',
    'def f(end):\n    now = datetime.utcnow()\n    return now < end\n',
    'def f(end):\n    now = datetime.now(timezone.utc).replace(tzinfo=None)\n    return now < end\n',
  ],
  [
    'two calls in a line are both rewritten',
    'x = datetime.utcnow().day + datetime.utcnow().hour\n',
    'x = datetime.now(timezone.utc).day + datetime.now(timezone.utc).hour\n',
  ],
  [
    'text that is not ASCII keeps its bytes',
    'x = "då", datetime.utcnow().day, "å"\n',
    'x = "då", datetime.now(timezone.utc).day, "å"\n',
  ],
];
for (const [rule, source, result] of rewritten) {
  test(`${rule}, and timezone is imported`, async () => {
    const { run, text } = await repository(fromImport + source);
    await run('rewrite .');
    await run('imports .');
    assert.equal(await text(), fromImport.replace('timedelta', 'timedelta, timezone') + result);
    assert.deepEqual(
      [await run('list .'), await run('handed-on .'), await run('rewrite .'), await run('imports .')],
      ['', '[]', '0', ''],
      'a second run does nothing',
    );
  });
}

test('a value in a test stays naive, so that the test still proves the same', async () => {
  const { run, text } = await repository(
    'import datetime\n\nthen = datetime.datetime.utcnow()\n',
    'tests/test_module.py',
  );
  await run('rewrite .');
  assert.match(await text(), /^then = datetime\.datetime\.now\(datetime\.timezone\.utc\)\.replace\(tzinfo=None\)$/m);
});

const left: [rule: string, source: string, kind: string][] = [
  ['a value that is stored elsewhere is handed on', 'self.at = datetime.utcnow()\n', 'handed-on'],
  [
    'a value that is returned is handed on',
    'def f():\n    return datetime.utcnow() + timedelta(days=1)\n',
    'handed-on',
  ],
  ['a function that is not called is a reference', 'at = field(default_factory=datetime.utcnow)\n', 'reference'],
];
for (const [rule, source, kind] of left) {
  test(`${rule}, so code does not rewrite it`, async () => {
    const { run, text } = await repository(fromImport + source);
    assert.equal(await run('rewrite .'), '0');
    assert.match(await run('list .'), new RegExp(`^package/module.py:\\d+: ${kind}: .*$`));
    assert.equal(await text(), fromImport + source);
  });
}

test('other methods called utcnow, strings and comments are not found', async () => {
  const { run } = await repository('clock.utcnow()\nx = "datetime.utcnow()"  # datetime.utcnow()\n');
  assert.equal(await run('list .'), '');
});

test('a line that hands its value on is shown with an aware datetime, with a naive one, and with the code around it', async () => {
  const { run } = await repository(
    `${fromImport}def f():\n    pair = g(datetime.utcnow()), g(datetime.utcnow())\n    return pair\n`,
  );
  assert.deepEqual(JSON.parse(await run('handed-on .')), [{ path: 'package/module.py', line: 4 }]);
  const [aware, naive] = ['datetime.now(timezone.utc)', 'datetime.now(timezone.utc).replace(tzinfo=None)'];
  assert.deepEqual(JSON.parse(await run('show package/module.py 4')), {
    text: 'pair = g(datetime.utcnow()), g(datetime.utcnow())',
    aware: `pair = g(${aware}), g(${aware})`,
    naive: `pair = g(${naive}), g(${naive})`,
    around: `${fromImport}def f():\n    pair = g(datetime.utcnow()), g(datetime.utcnow())\n    return pair\n`,
  });
});

const imports: [before: string, after: string][] = [
  ['from datetime import datetime\n', 'from datetime import datetime, timezone\n'],
  ['from datetime import (datetime)\n', 'from datetime import (datetime, timezone)\n'],
  [
    'from datetime import (\n    date,\n    datetime,\n)\n',
    'from datetime import (\n    date,\n    datetime,\n    timezone,\n)\n',
  ],
  [
    'from datetime import datetime\nfrom django.utils import timezone\n',
    'from datetime import datetime, timezone as datetime_timezone\nfrom django.utils import timezone\n',
  ],
];
for (const [source, result] of imports) {
  test(`timezone is added to ${JSON.stringify(source)}`, async () => {
    const { run, text } = await repository(`${source}x = datetime.utcnow().day\n`);
    await run('rewrite .');
    await run('imports .');
    assert.ok((await text()).startsWith(result), await text());
  });
}
