# A switch with another machine's configuration has taken a server down: before anything is stopped, the machine must be
# the one that the configuration is for.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.services.cc-ci.identity;
  expected = lib.concatStringsSep " " (map lib.escapeShellArg cfg.hostNames);
in
{
  options.services.cc-ci.identity = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether a switch is refused on a machine that has another name than this configuration's.";
    };
    hostNames = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [
        config.networking.hostName
        "nixos"
      ];
      defaultText = lib.literalExpression ''[ config.networking.hostName "nixos" ]'';
      description = "Names the machine may have before the switch; `nixos` is that of a fresh installation.";
    };
  };

  # NixOS has the option since 25.05; on an older one there is no place before the switch.
  config = lib.optionalAttrs (options.system ? preSwitchChecks) {
    system.preSwitchChecks = lib.mkIf cfg.enable {
      cc-ci-identity = ''
        actual=$(cat /proc/sys/kernel/hostname)
        for expected in ${expected}; do
          if [ "$actual" = "$expected" ]; then exit 0; fi
        done
        echo "this machine is called $actual, but the configuration is for:" ${expected} >&2
        echo "nothing was changed; check the flake target, or add the name to services.cc-ci.identity.hostNames" >&2
        exit 1
      '';
    };
  };
}
