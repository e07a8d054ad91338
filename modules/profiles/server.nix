# A whole CI server: everything on one machine.
{ lib, ... }:
{
  imports = [ ../default.nix ];
  services.cc-ci = {
    engine = lib.mkDefault "drone";
    swarm.enable = lib.mkDefault true;
    traefik.enable = lib.mkDefault true;
    backupbot.enable = lib.mkDefault true;
    drone.server.enable = lib.mkDefault true;
    drone.runner.enable = lib.mkDefault true;
    bridge.enable = lib.mkDefault true;
    bridge.hook = lib.mkDefault true;
    dashboard.enable = lib.mkDefault true;
  };
}
