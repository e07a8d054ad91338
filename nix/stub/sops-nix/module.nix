{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  texts = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  paths = mkOption {
    type = types.listOf types.path;
    default = [ ];
  };
  fileAt =
    folder: more:
    types.attrsOf (
      types.submodule (
        { name, ... }:
        {
          options = {
            path = mkOption {
              type = types.str;
              default = "${folder}/${name}";
            };
            restartUnits = texts;
          }
          // more;
        }
      )
    );
in
{
  options.sops = {
    defaultSopsFile = mkOption { type = types.path; };
    age.sshKeyPaths = paths;
    gnupg.sshKeyPaths = paths;
    secrets = mkOption {
      type = fileAt "/run/secrets" { };
      default = { };
    };
    templates = mkOption {
      type = fileAt "/run/secrets/rendered" { content = mkOption { type = types.lines; }; };
      default = { };
    };
    placeholder = mkOption {
      type = types.attrsOf types.str;
      default = { };
    };
  };
  config.sops.placeholder = builtins.mapAttrs (name: _: "<SOPS:${name}:PLACEHOLDER>") config.sops.secrets;
}
