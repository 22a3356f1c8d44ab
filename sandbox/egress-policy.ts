/**
 * Decides which targets a sandbox may reach: listed names, on web ports, at public addresses. Pure except for the
 * resolver.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** A host that may be reached. */
export interface EgressRule {
  /** `pypi.org`, or `*.example.com` for every subdomain of it (not itself). */
  host: string;
  /** The only port allowed; 80 and 443 if missing. */
  port?: number;
  /**
   * Whether the machine's own configuration names this host. Such a host may be an address, and may be in a private
   * network.
   */
  configured?: boolean;
}

const webPorts = [80, 443];
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Networks that are not the public internet. */
const privateNetworks = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  privateNetworks.addSubnet(network, bits, 'ipv4');
const publicV6 = new BlockList();
publicV6.addSubnet('2000::', 3, 'ipv6');
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  privateNetworks.addSubnet(network, bits, 'ipv6');

export type EgressDecision = { allowed: true; rule: EgressRule } | { allowed: false; reason: string };

/** Whether a name and port are on the list. The name is taken as the client wrote it; nothing is corrected. */
export function checkTarget(host: string, port: number, rules: EgressRule[]): EgressDecision {
  const name = host.toLowerCase();
  const configured = rules.find((rule) => rule.configured && rule.host === name && allowsPort(rule, port));
  if (configured) return { allowed: true, rule: configured };
  if (isAddress(name)) return { allowed: false, reason: 'an address instead of a name' };
  if (!hostName.test(name)) return { allowed: false, reason: 'not a plain host name' };
  const named = rules.filter((rule) => matches(rule.host, name));
  if (named.length === 0) return { allowed: false, reason: 'not on the list of hosts' };
  const rule = named.find((candidate) => allowsPort(candidate, port));
  return rule ? { allowed: true, rule } : { allowed: false, reason: `port ${port} is not allowed` };
}

function allowsPort(rule: EgressRule, port: number): boolean {
  return rule.port === undefined ? webPorts.includes(port) : rule.port === port;
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith('*.')
    ? name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1
    : pattern === name;
}

/**
 * Whether any resolver could take this for an address: dotted, decimal, octal, hexadecimal, or IPv6 with or without
 * brackets.
 */
function isAddress(name: string): boolean {
  const last = name.split('.').at(-1) ?? '';
  return name.includes(':') || name.startsWith('[') || /^([0-9]+|0x[0-9a-f]*)$/.test(last);
}

/** Whether an address belongs to the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !privateNetworks.check(address, 'ipv4');
  // An IPv4 address inside an IPv6 one (::ffff:10.0.0.1, 64:ff9b::) is outside 2000::/3, and so never public.
  return family === 6 && publicV6.check(address, 'ipv6') && !privateNetworks.check(address, 'ipv6');
}

export interface ResolvedAddress {
  address: string;
  family: number;
}

/**
 * The addresses of an allowed name, or why it may not be reached. Connect only to these addresses: they are the ones
 * that were checked.
 */
export async function resolveTarget(host: string, rule: EgressRule): Promise<ResolvedAddress[] | { reason: string }> {
  let found: ResolvedAddress[];
  try {
    found = await lookup(host, { all: true });
  } catch {
    return { reason: 'the name does not resolve' };
  }
  if (!rule.configured && !found.every(({ address }) => isPublicAddress(address)))
    return { reason: 'the name resolves to a private address' };
  return found;
}
