# Every part of the host; nothing is enabled by importing it.
{
  imports = [
    ./common.nix
    ./identity.nix
    ./secrets.nix
    ./swarm.nix
    ./traefik.nix
    ./backupbot.nix
    ./drone.nix
    ./comment-bridge.nix
    ./dashboard.nix
    ./janitor.nix
    ./reports.nix
    ./reconcile.nix
  ];
}
