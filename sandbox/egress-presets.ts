/**
 * The presets: the places where this machine gets packages from. They are expanded on the machine of the sandbox, because
 * the hosts depend on it: its configured indexes, and the public ones.
 */
import { egressPresets } from '../blueprints/hosts.ts';
import type { EgressRule } from './egress-policy.ts';
import type { MachineIndexes } from './machine-indexes.ts';

type EgressPreset = (typeof egressPresets)[number];

/** What a sandbox's list of hosts and presets means on this machine. */
export interface ExpandedEgress {
  hosts: EgressRule[];
  /** Variables that point the tools inside to the same indexes. */
  env: Record<string, string>;
  /** Certificates and folders of packages. */
  readOnlyPaths: string[];
  /** What a person should know, such as a credential that was left out. */
  notes: string[];
}

const publicHosts: Record<EgressPreset, string[]> = {
  pypi: ['pypi.org', 'files.pythonhosted.org'],
  // Yarn has a name of its own for the same registry, which lock files contain.
  npm: ['registry.npmjs.org', 'registry.yarnpkg.com'],
  crates: ['crates.io', 'index.crates.io', 'static.crates.io'],
  go: ['proxy.golang.org', 'sum.golang.org'],
  maven: ['repo.maven.apache.org', 'repo1.maven.org'],
  // Its plugins come from Maven's repository too.
  gradle: [
    'services.gradle.org',
    'downloads.gradle.org',
    'plugins.gradle.org',
    'repo.maven.apache.org',
    'repo1.maven.org',
  ],
  rubygems: ['rubygems.org', 'index.rubygems.org'],
};

/**
 * Expands presets and host patterns into rules, and what tools inside need to use them. Credentials are always left
 * out.
 */
export function expandEgress(list: string[], machine: MachineIndexes): ExpandedEgress {
  const expanded: ExpandedEgress = { hosts: [], env: {}, readOnlyPaths: [], notes: [] };
  for (const entry of new Set(list)) {
    if (!isPreset(entry)) {
      expanded.hosts.push({ host: entry });
      continue;
    }
    // These count as configured, because a machine may have its own mirror under the public name.
    expanded.hosts.push(...publicHosts[entry].map((host) => ({ host, port: 443, configured: true })));
    if (entry === 'pypi') addPip(expanded, machine.pip);
    if (entry === 'npm') addNpm(expanded, machine.npm);
    if (entry === 'go') addGo(expanded, machine.go);
  }
  if (expanded.hosts.length > 0)
    for (const [name, path] of Object.entries(machine.certificates)) addPath(expanded, name, path);
  return expanded;
}

function isPreset(entry: string): entry is EgressPreset {
  return egressPresets.some((preset) => preset === entry);
}

function addPip(expanded: ExpandedEgress, pip: MachineIndexes['pip']): void {
  for (const [setting, variable] of [
    ['index-url', 'PIP_INDEX_URL'],
    ['extra-index-url', 'PIP_EXTRA_INDEX_URL'],
  ] as const) {
    const urls = words(pip[setting]).map((url) => addIndex(expanded, url));
    if (urls.length > 0) expanded.env[variable] = urls.join(' ');
  }
  const links = words(pip['find-links']);
  for (const link of links) {
    if (link.startsWith('/')) expanded.readOnlyPaths.push(link);
  }
  const usable = links.map((link) => (link.startsWith('/') ? link : addIndex(expanded, link)));
  if (usable.length > 0) expanded.env['PIP_FIND_LINKS'] = usable.join(' ');
  if (pip['cert'] !== undefined) addPath(expanded, 'PIP_CERT', pip['cert']);
  if (pip['trusted-host'] !== undefined) expanded.env['PIP_TRUSTED_HOST'] = pip['trusted-host'];
}

function addNpm(expanded: ExpandedEgress, npm: MachineIndexes['npm']): void {
  if (npm['registry'] !== undefined) {
    const registry = addIndex(expanded, npm['registry']);
    for (const name of ['npm_config_registry', 'YARN_REGISTRY', 'YARN_NPM_REGISTRY_SERVER'])
      expanded.env[name] = registry;
  }
  if (npm['cafile'] !== undefined)
    for (const name of ['npm_config_cafile', 'YARN_HTTPS_CA_FILE_PATH']) addPath(expanded, name, npm['cafile']);
}

function addGo(expanded: ExpandedEgress, go: MachineIndexes['go']): void {
  const entries = (go['GOPROXY'] ?? '').split(/[,|]/).filter((entry) => entry !== '' && entry !== 'direct');
  if (entries.length > 0)
    expanded.env['GOPROXY'] = entries.map((entry) => (entry === 'off' ? entry : addIndex(expanded, entry))).join(',');
  if (go['GOSUMDB'] !== undefined) expanded.env['GOSUMDB'] = go['GOSUMDB'];
}

/** Allows an index's host at the index's port. Returns the address without its credential. */
function addIndex(expanded: ExpandedEgress, text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    url.username = '';
    url.password = '';
    expanded.notes.push(
      `The credential for ${url.host} stays outside the sandbox, so packages that need it can't be installed there.`,
    );
  }
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  expanded.hosts.push({ host: url.hostname.toLowerCase(), port, configured: true });
  return url.href;
}

function addPath(expanded: ExpandedEgress, variable: string, path: string): void {
  if (!path.startsWith('/')) return;
  expanded.env[variable] = path;
  expanded.readOnlyPaths.push(path);
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
