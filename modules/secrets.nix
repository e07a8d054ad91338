# Where secrets come from: a file encrypted with sops, or, without one, a folder with one file each. Units name these
# files; no value is ever in the store.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.services.cc-ci;
  needed = import ./units/secrets.nix { inherit cfg; };
  names = builtins.attrNames needed;
  bySops = cfg.secrets.sopsFile != null;
  rpc = "drone-rpc.env";
  needsRpc = needed ? drone-rpc-secret;
  # Without sops nobody makes an environment file of that secret: it is given as one.
  given = builtins.filter (name: name != "drone-rpc-secret") names ++ lib.optional needsRpc rpc;
  inherit (lib) mkOption types;
in
{
  options.services.cc-ci.secrets = {
    sopsFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "The file encrypted with sops that holds this host's secrets, one key each (docs/secrets.md); `cc-ci secrets init` makes it.";
    };
    sshKeyPaths = mkOption {
      type = types.listOf types.path;
      default = [ "/etc/ssh/ssh_host_ed25519_key" ];
      description = "Keys of this host that sops decrypts with; the SSH host key needs no manual step.";
    };
    directory = mkOption {
      type = types.path;
      default = "/var/lib/cc-ci-secrets";
      description = "Without sops: folder of root with one file per secret, named as in secrets/README.md.";
    };
    files = mkOption {
      type = types.attrsOf types.path;
      default = { };
      description = "Path of each secret's file. Set by the above.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf (!bySops && names != [ ]) {
      services.cc-ci.secrets.files = lib.genAttrs given (
        name: lib.mkDefault "${cfg.secrets.directory}/${name}"
      );
      systemd.tmpfiles.rules = [ "d ${cfg.secrets.directory} 0700 root root -" ];
      warnings = [
        "services.cc-ci.secrets.sopsFile is not set: until somebody puts ${
          lib.concatStringsSep ", " given
        } into ${cfg.secrets.directory}, what needs them waits."
      ];
    })
    # A runner-only host may do without sops-nix; it then has no such options.
    (lib.optionalAttrs (options ? sops) (
      lib.mkIf (bySops && names != [ ]) {
        sops.defaultSopsFile = cfg.secrets.sopsFile;
        sops.age.sshKeyPaths = cfg.secrets.sshKeyPaths;
        # Otherwise sops-nix would look for keys of its own, and stop where they are missing.
        sops.gnupg.sshKeyPaths = [ ];
        sops.secrets = needed;
        sops.templates = lib.mkIf needsRpc {
          ${rpc} = {
            content = "DRONE_RPC_SECRET=${config.sops.placeholder.drone-rpc-secret}\n";
            inherit (needed.drone-rpc-secret) restartUnits;
          };
        };
        services.cc-ci.secrets.files =
          lib.genAttrs names (name: config.sops.secrets.${name}.path)
          // lib.optionalAttrs needsRpc { ${rpc} = config.sops.templates.${rpc}.path; };
      }
    ))
    {
      assertions = [
        {
          assertion = !bySops || options ? sops;
          message = "services.cc-ci.secrets.sopsFile is set, but sops-nix is not among the modules: add sops-nix.nixosModules.sops.";
        }
      ];
    }
  ];
}
