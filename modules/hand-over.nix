# Gives the units of one part (plain data, see units/) to NixOS: what they name, packages and secrets, becomes paths.
{ config, pkgs }:
file:
let
  cfg = config.services.cc-ci;
  packages = {
    inherit (pkgs)
      bash
      chromium
      coreutils
      git
      gnutar
      gzip
      openssl
      systemd
      ;
    inherit (cfg) abra;
    cc-ci = cfg.package;
    docker = config.virtualisation.docker.package;
    drone-server = cfg.drone.server.package;
    drone-runner-exec = cfg.drone.runner.package;
  };
  units = import file {
    inherit cfg;
    pkg = name: "${packages.${name}}";
    secret = name: cfg.secrets.files.${name};
  };
in
{
  systemd.services = units.services;
  systemd.timers = units.timers;
}
