# Cleans up after runs that were killed, wherever runs happen.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.cc-ci;
in
{
  options.services.cc-ci.janitor = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = cfg.drone.runner.enable || (cfg.bridge.enable && cfg.engine == "local");
      defaultText = "where runs happen";
      description = "Whether what killed runs left behind is removed by a timer, besides at the start of each run.";
    };
    interval = lib.mkOption {
      type = lib.types.str;
      default = "10min";
      description = "Time between two looks (systemd.time(7)).";
    };
  };

  config = lib.mkIf cfg.janitor.enable (
    import ./hand-over.nix { inherit config pkgs; } ./units/janitor.nix
  );
}
