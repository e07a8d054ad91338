# Evaluates modules with the stand-ins, for tests: `nix-instantiate --eval --strict --json nix/evaluate.nix -A units`.
# Paths of packages and secrets are real strings here; nothing is built.
{
  # Modules besides ours and the stand-ins'.
  extra ? { },
  profile ? "server",
  sops ? true,
  hostName ? "cc-ci",
}:
let
  profiles = {
    host = [
      ../modules/profiles/server.nix
      (../hosts + "/${hostName}/configuration.nix")
    ];
    server = [
      ../modules/profiles/server.nix
      bare
    ];
    runner = [
      ../modules/profiles/runner.nix
      bare
    ];
    none = [
      ../modules
      bare
    ];
  };
  # A machine without facts.
  bare = {
    fileSystems."/" = {
      device = "none";
      fsType = "tmpfs";
    };
    system.stateVersion = "26.05";
  };
  lib = import ./stub/nixpkgs/modules.nix;
  system = import ./stub/nixpkgs/system.nix {
    system = "x86_64-linux";
    modules =
      profiles.${profile}
      ++ (if sops then [ ./stub/sops-nix/module.nix ] else [ ])
      ++ [
        { nixpkgs.config.allowUnfreePredicate = import ./packages/unfree.nix { inherit lib; }; }
        extra
      ];
  };
  inherit (system) config options;
  describe =
    loc: tree:
    if (tree._type or null) == "option" then
      if tree.internal or false then
        [ ]
      else
        [
          {
            name = builtins.concatStringsSep "." loc;
            type = tree.type.description;
            default = tree.defaultText or (if tree ? default then show tree.default else null);
            description = tree.description or "";
          }
        ]
    else
      builtins.concatMap (name: describe (loc ++ [ name ]) tree.${name}) (builtins.attrNames tree);
  show = value: if value ? outPath then "the package ${value.pname}" else builtins.toJSON value;
in
{
  inherit (config.systemd) services timers;
  inherit (config) warnings;
  # Forces everything, assertions included.
  toplevel = config.system.build.toplevel.drvPath;
  settings = builtins.fromJSON (
    builtins.unsafeDiscardStringContext config.services.cc-ci.settingsText
  );
  config = {
    inherit (config)
      environment
      networking
      users
      virtualisation
      ;
    inherit (config.systemd) tmpfiles;
    inherit (config.system) preSwitchChecks;
  };
  secrets = config.services.cc-ci.secrets.files;
  sops = if config ? sops then config.sops else null;
  options = describe [ "services" "cc-ci" ] options.services.cc-ci;
  predicate = import ./packages/unfree.nix { inherit lib; };
}
