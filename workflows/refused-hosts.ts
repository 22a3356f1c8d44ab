/** ` (refused: example.org:443)`, for a command that may have failed because of it; empty if nothing was refused. */
export function refusedHosts(hosts: string[] = []): string {
  return hosts.length > 0 ? ` (refused: ${hosts.join(', ')})` : '';
}
