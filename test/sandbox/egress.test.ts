import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { execa } from 'execa';
import type { Sandbox } from '../../sandbox/contract.ts';
import { checkTarget, isPublicAddress } from '../../sandbox/egress-policy.ts';
import { expandEgress } from '../../sandbox/egress-presets.ts';
import { createLocalProvider, type LocalProvider } from '../../sandbox/local/provider.ts';
import { type MachineIndexes, parseNpmConfig, parsePipConfig } from '../../sandbox/machine-indexes.ts';
import { findBwrap, runShell, sandboxSpec, temporaryFolder } from './fixtures.ts';

const noIndexes: MachineIndexes = { pip: {}, npm: {}, go: {}, certificates: {} };

describe('the list of hosts', () => {
  const rules = [{ host: 'pypi.org' }, { host: '*.example.com' }, { host: '10.1.2.3', port: 8080, configured: true }];
  const allowed = (host: string, port = 443) => checkTarget(host, port, rules).allowed;

  it('allows the names on it, on the web’s ports', () => {
    assert.deepEqual(
      [allowed('pypi.org'), allowed('PyPI.org', 80), allowed('a.example.com'), allowed('a.b.example.com')],
      [true, true, true, true],
    );
    assert.deepEqual(
      [
        allowed('pypi.org', 22),
        allowed('example.com'),
        allowed('evil-example.com'),
        allowed('pypi.org.evil.com'),
        allowed('github.com'),
      ],
      Array(5).fill(false),
    );
  });

  it('refuses all tricks with names', () => {
    for (const host of [
      'evil\0.pypi.org',
      'pypi.org.',
      'pypi.org@evil',
      'user@pypi.org',
      'pypi.org/x',
      'pypi.org%00',
      ' pypi.org',
      'x..example.com',
      '-x.example.com',
      'pуpi.org',
      '',
      '.example.com',
    ]) {
      assert.equal(allowed(host), false, JSON.stringify(host));
    }
  });

  it('refuses addresses in every notation, except the one that the machine is configured with', () => {
    for (const host of [
      '1.1.1.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0x7f000001',
      '0177.0.0.1',
      '[::1]',
      '::1',
      '[::ffff:10.0.0.1]',
      '1.1.1.1.',
    ])
      assert.equal(allowed(host), false, host);
    assert.deepEqual([allowed('10.1.2.3', 8080), allowed('10.1.2.3', 80)], [true, false]);
  });

  it('recognizes private addresses, also inside IPv6 ones', () => {
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '::1',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::a00:1',
      '2002:a00:1::',
      'nonsense',
    ])
      assert.equal(isPublicAddress(address), false, address);
    for (const address of ['8.8.8.8', '151.101.0.223', '2a04:4e42::223'])
      assert.equal(isPublicAddress(address), true, address);
  });
});

describe('a preset', () => {
  it('uses the machine’s own indexes, without their credentials', () => {
    const machine = {
      ...noIndexes,
      pip: {
        'index-url': 'https://me:secret@mirror.corp:8443/simple',
        'find-links': '/opt/wheels',
        cert: '/etc/ssl/corp.pem',
      },
    };
    const { hosts, env, readOnlyPaths, notes } = expandEgress(['pypi', 'api.example.com'], machine);
    assert.deepEqual(
      hosts.map(({ host, port }) => `${host}:${port ?? ''}`),
      ['pypi.org:443', 'files.pythonhosted.org:443', 'mirror.corp:8443', 'api.example.com:'],
    );
    assert.deepEqual(env, {
      PIP_INDEX_URL: 'https://mirror.corp:8443/simple',
      PIP_FIND_LINKS: '/opt/wheels',
      PIP_CERT: '/etc/ssl/corp.pem',
    });
    assert.deepEqual(readOnlyPaths, ['/opt/wheels', '/etc/ssl/corp.pem']);
    assert.equal(notes.length, 1);
    assert.doesNotMatch(JSON.stringify({ hosts, env, notes }), /secret/);
  });

  it('reads pip’s settings as pip lists them, and the environment overrides the rest', () => {
    assert.deepEqual(
      parsePipConfig(":env:.cert='/env'\nglobal.cert='/file'\nglobal.extra-index-url='\\nhttps://a\\nhttps://b'\n"),
      { 'extra-index-url': 'https://a https://b', cert: '/env' },
    );
  });

  it('reads npm’s settings as npm prints several of them', () => {
    assert.deepEqual(parseNpmConfig('registry=https://a/?b=c\ncafile=null\n'), {
      registry: 'https://a/?b=c',
      cafile: 'null',
    });
    assert.deepEqual(parseNpmConfig(''), {});
  });
});

describe('a sandbox with a way out', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let index: Server;
  let port: number;
  let provider: LocalProvider;
  let sandbox: Sandbox;
  beforeAll(async () => {
    folder = await temporaryFolder();
    index = createServer((_request, response) => response.end('index\n'));
    await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', () => resolve()));
    const address = index.address();
    port = typeof address === 'object' && address ? address.port : 0;
    // A server of this test stands for the machine's own index, so it may be on a private address.
    const machine = { ...noIndexes, pip: { 'index-url': `http://localhost:${port}/simple` } };
    provider = createLocalProvider({
      rootDir: `${folder.path}/${'a-long-data-folder/'.repeat(5)}sandboxes`,
      bwrapPath: await findBwrap(),
      machine,
      env: { PATH: process.env['PATH'] },
    });
    sandbox = await provider.ensureSandbox(
      sandboxSpec('run/egress', { egress: ['pypi', 'localhost', 'listed.invalid'] }),
    );
  });
  afterAll(async () => {
    await provider.destroySandbox('run/egress');
    await provider.close();
    index.close();
    index.closeAllConnections();
    await folder[Symbol.asyncDispose]();
  });

  it('reaches the listed hosts, by CONNECT and by plain HTTP', async () => {
    const { stdout } = await runShell(
      sandbox,
      'listed',
      `unset no_proxy NO_PROXY; curl -s -x "$http_proxy" http://localhost:${port}/x; curl -s -p -x "$http_proxy" http://localhost:${port}/x`,
    );
    assert.equal(stdout, 'index\nindex\n');
  });

  it('reaches nothing else, and each refusal is recorded', async () => {
    const targets = [
      'https://example.com/',
      'http://127.0.0.1/',
      'http://[::1]/',
      'http://0x7f.1/',
      'http://169.254.169.254/',
      'http://localhost:1/',
      'http://localhost/',
      'https://listed.invalid/',
    ];
    const script = `unset no_proxy NO_PROXY; for url in ${targets.map((url) => `'${url}'`).join(' ')}; do curl -gs -o /dev/null -w '%{http_code} ' -x "$http_proxy" "$url"; curl -gs -p -o /dev/null -w '%{http_connect}\n' -x "$http_proxy" "$url"; done`;
    const { stdout } = await runShell(sandbox, 'refused', script);
    for (const line of stdout.trim().split('\n')) assert.match(line, /^(403|000) (403|400)$/, stdout);
    const refusals = await sandbox.listRefusals();
    assert.ok(refusals.some(({ host, port }) => host === 'example.com' && port === 443));
    assert.ok(refusals.some(({ host, reason }) => host === 'localhost' && /private/.test(reason)));
  });

  it('has no way around the proxy', async () => {
    const { stdout } = await runShell(
      sandbox,
      'around',
      `curl -s --noproxy '*' http://localhost:${port}/x; env -u http_proxy -u HTTP_PROXY -u ALL_PROXY -u all_proxy curl -s http://localhost:${port}/x; python3 -c "
import socket
for family, address in ((socket.AF_INET, '1.1.1.1'), (socket.AF_INET6, '2606:4700:4700::1111')):
  try: socket.socket(family, socket.SOCK_DGRAM).sendto(b'x', (address, 53)); print('sent')
  except OSError: pass
"`,
    );
    assert.equal(stdout, '');
  });

  it('refuses requests that two readers could understand differently', async () => {
    const { stdout } = await runShell(
      sandbox,
      'tricks',
      `
ask() { printf "$1" | python3 -c "
import socket, sys
link = socket.create_connection(('127.0.0.1', 3128)); link.sendall(sys.stdin.buffer.read()); link.settimeout(5); print(link.recv(100).split(b' ')[1].decode())
"; }
ask 'GET http://localhost:${port}/ HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n'
ask 'GET http://user@localhost:${port}/ HTTP/1.1\\r\\nHost: localhost:${port}\\r\\n\\r\\n'
ask 'CONNECT user@localhost:${port} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'
ask 'CONNECT localhost.:${port} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'
ask 'CONNECT localhost:${port} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'`,
    );
    assert.match(stdout, /^(40[03]\n){5}$/, stdout);
  });

  it('has the same exit codes with the forwarder', async () => {
    assert.equal((await runShell(sandbox, 'three', 'exit 3')).result.exitCode, 3);
    assert.equal((await runShell(sandbox, 'signal', 'kill -TERM $$')).result.exitCode, 143);
    assert.equal(
      (await sandbox.run({ key: 'none', argv: ['no-such-program'], timeoutMs: 5000, outputCapBytes: 100 })).exitCode,
      127,
    );
  });

  const crate = String.raw`mkdir src && touch src/lib.rs && printf '[package]\nname = "one"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nitoa = "=1.0.11"\n' > Cargo.toml`;
  const project = String.raw`printf '<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>a</artifactId><version>1</version></project>' > pom.xml`;
  const installs: { name: string; preset: string; program: string; script: string; prints: RegExp }[] = [
    {
      name: 'pip',
      preset: 'pypi',
      program: 'python3',
      script: 'python3 -m pip download --quiet --no-deps --dest got six && ls got',
      prints: /^six-/,
    },
    {
      name: 'uv',
      preset: 'pypi',
      program: 'python3',
      script: `python3 -m venv one && one/bin/pip install -q uv && PATH=$PWD/one/bin:$PATH && uv venv -q two && uv pip install -q --python two/bin/python six && ls two/lib/*/site-packages`,
      prints: /^six\.py$/m,
    },
    {
      name: 'npm',
      preset: 'npm',
      program: 'npm',
      script: 'npm pack --silent is-number@7.0.0',
      prints: /^is-number-7\.0\.0\.tgz$/m,
    },
    {
      name: 'pnpm',
      preset: 'npm',
      program: 'npm',
      script: 'echo "{}" > package.json && npx --yes pnpm@9.15.0 add -s is-number@7.0.0 && cat pnpm-lock.yaml',
      prints: /is-number@7\.0\.0/,
    },
    {
      name: 'Yarn 1',
      preset: 'npm',
      program: 'npm',
      script: 'echo "{}" > package.json && npx --yes yarn@1.22.22 add -s is-number@7.0.0 && cat yarn.lock',
      prints: /is-number@7\.0\.0/,
    },
    {
      name: 'Yarn 4',
      preset: 'npm',
      program: 'npm',
      script:
        'echo "{}" > package.json && touch yarn.lock && npx --yes @yarnpkg/cli-dist@4.5.0 add is-number@7.0.0 && cat yarn.lock',
      prints: /is-number@npm:7\.0\.0/,
    },
    // Its answer is held to the checksum database, which is another host.
    {
      name: 'go',
      preset: 'go',
      program: 'go',
      script: 'go mod init example.com/one && go mod download -json rsc.io/quote@v1.5.2',
      prints: /"Sum": "h1:w5fcysjrx7yqtD/,
    },
    {
      name: 'cargo',
      preset: 'crates',
      program: 'cargo',
      script: `${crate} && cargo fetch && cat Cargo.lock`,
      prints: /name = "itoa"\nversion = "1\.0\.11"/,
    },
    {
      name: 'Maven',
      preset: 'maven',
      program: 'mvn',
      script: `${project} && mvn -q -B -Dmaven.repo.local=got dependency:get -Dartifact=org.slf4j:slf4j-api:2.0.16 && find got -name "slf4j-api*.jar"`,
      prints: /slf4j-api-2\.0\.16\.jar/,
    },
    {
      name: 'RubyGems',
      preset: 'rubygems',
      program: 'gem',
      script: 'gem fetch rake -v 13.2.1 && ls rake-13.2.1.gem',
      prints: /^rake-13\.2\.1\.gem$/m,
    },
  ];
  for (const { name, preset, program, script, prints } of installs) {
    it(`gets a package from this machine’s registry by ${name} with the preset ${preset}`, async ({ skip }) => {
      if ((await onHost(`command -v ${program}`)).failed) skip(`this machine has no ${program}`);
      const real = createLocalProvider({ rootDir: `${folder.path}/${name}`, bwrapPath: await findBwrap() });
      const installing = await real.ensureSandbox(sandboxSpec(`run/${name}`, { egress: [preset] }));
      const { result, stdout, stderr } = await runShell(installing, 'install', script, { timeoutMs: installTimeoutMs });
      const refusals = JSON.stringify(await installing.listRefusals());
      await real.destroySandbox(`run/${name}`);
      await real.close();
      if (result.exitCode !== 0 && (await onHost(script)).failed)
        skip(`its registry does not answer ${program} on this machine, sandbox or not`);
      assert.equal(result.exitCode, 0, `${stderr} ${refusals}`);
      assert.match(stdout, prints);
    });
  }
});

const installTimeoutMs = 120_000;

/** What the machine itself makes of a script, in an empty folder. */
async function onHost(script: string) {
  await using empty = await temporaryFolder();
  return await execa('sh', ['-c', script], { cwd: empty.path, reject: false, timeout: installTimeoutMs });
}
