/** The hosts that a sandbox may be allowed to reach. */
import { z } from 'zod';

/** Words for the places where a machine gets packages from. A provider knows what each means there. */
export const egressPresets = ['pypi', 'npm', 'crates', 'go', 'maven', 'gradle', 'rubygems'] as const;

const hostName = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A host that commands may reach, or a preset for several. */
export const Host = z
  .string()
  .max(253, { abort: true })
  .regex(hostName, {
    error: `must be a preset (${egressPresets.join(', ')}) or a host name, such as api.example.com or *.example.com`,
    abort: true,
  })
  // An address would be reached around the names that are checked.
  .refine((host) => !/(^|\.)([0-9]+|0x[0-9a-f]*)$/.test(host), {
    error: 'must be the name of a host: addresses are always refused',
    abort: true,
  })
  .refine((host) => host.includes('.') || egressPresets.some((preset) => preset === host), {
    error: `must be a preset (${egressPresets.join(', ')}) or the full name of a host, such as api.example.com`,
  });
