# A second machine that only runs builds of a Drone server elsewhere: Swarm, proxy, backups, the exec runner.
{ lib, ... }:
{
  imports = [ ../default.nix ];
  services.cc-ci = {
    engine = lib.mkDefault "drone";
    swarm.enable = lib.mkDefault true;
    traefik.enable = lib.mkDefault true;
    backupbot.enable = lib.mkDefault true;
    drone.runner.enable = lib.mkDefault true;
  };
}
