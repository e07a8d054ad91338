# What is not a file of NixOS (Swarm, deployed recipes, Drone's OAuth client) is brought about by `cc-ci reconcile`, one
# unit for each part: at boot, at each switch, and by a timer.
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
  options.services.cc-ci.reconcile = {
    interval = lib.mkOption {
      type = lib.types.str;
      default = "15min";
      description = "Time between two looks at all parts (systemd.time(7)).";
    };
  };

  config = lib.mkIf (cfg.swarm.enable || cfg.drone.server.enable) (
    import ./hand-over.nix { inherit config pkgs; } ./units/reconcile.nix
  );
}
