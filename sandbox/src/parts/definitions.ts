/** The programs of others that stand around cc-ci on a host, and that can be built from Go modules. */
export type PartName = 'gitea' | 'drone' | 'traefik' | 'sops';

/** How a part is built from its module, and how one that is installed is recognised. */
export interface PartDefinition {
  /** The Go module; which version of it is said by `parts/<name>/go.mod` alone. */
  module: string;
  /** The package with its `main`. */
  package: string;
  /** What the program is called where it is installed. */
  executable: string;
  tags?: readonly string[];
  /** Whether it contains C code, and so needs a C compiler. */
  cgo: boolean;
  /** Where the linker writes the version, in programs that would not know their own. */
  versionVariable?: string;
  /** Folders of the module's source that the program reads while it runs. */
  folders?: readonly string[];
  /** How an installed one is asked for its version. Without: it cannot say, and any is taken. */
  askVersion?: readonly string[];
  /** Versions of an installed one that do instead. */
  accepts: RegExp;
}

/** In the order in which they are built: those that most tests need first. */
export const PARTS: Readonly<Record<PartName, PartDefinition>> = {
  gitea: {
    module: 'code.gitea.io/gitea',
    package: 'code.gitea.io/gitea',
    executable: 'gitea',
    tags: ['sqlite', 'sqlite_unlock_notify'],
    cgo: true,
    versionVariable: 'main.Version',
    folders: ['options', 'public', 'templates'],
    askVersion: ['--version'],
    accepts: /^1\.2[3-9]\./,
  },
  drone: {
    module: 'github.com/drone/drone',
    package: 'github.com/drone/drone/cmd/drone-server',
    executable: 'drone-server',
    // Never `oss`: a server built with it has no endpoint for runners (`/rpc/v2` answers 404).
    tags: ['nolimit'],
    cgo: true,
    accepts: /^/,
  },
  sops: {
    module: 'github.com/getsops/sops/v3',
    package: 'github.com/getsops/sops/v3/cmd/sops',
    executable: 'sops',
    cgo: false,
    askVersion: ['--version', '--disable-version-check'],
    accepts: /^3\.([89]|1\d)\./,
  },
  traefik: {
    module: 'github.com/traefik/traefik/v3',
    package: 'github.com/traefik/traefik/v3/cmd/traefik',
    executable: 'traefik',
    cgo: false,
    versionVariable: 'github.com/traefik/traefik/v3/pkg/version.Version',
    askVersion: ['version'],
    accepts: /^3\./,
  },
};

/** The names of all parts. */
export const PART_NAMES = Object.keys(PARTS) as PartName[];

/**
 * The version of a module that a `go.mod` asks for, without its leading `v`.
 * @throws Error when it asks for none
 */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .replace(/^require\s+/, '')
      .trim()
      .split(/\s+/);
    if (name === module && version?.startsWith('v')) return version.slice(1);
  }
  throw new Error(`go.mod requires no version of ${module}`);
}

/** The first version number in what a program says of itself; undefined where there is none. */
export function saidVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)\b/.exec(output)?.[1];
}
