# Docker as a Swarm of one node. The engine is configured here; Swarm and the network `proxy` are made by
# `cc-ci reconcile`.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.cc-ci;
in
{
  options.services.cc-ci.swarm = {
    enable = lib.mkEnableOption "Docker in Swarm mode with the overlay network `proxy`";
    advertiseAddress = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1";
      description = "Address the node gives to others of its Swarm; there are none.";
    };
  };

  config = lib.mkIf cfg.swarm.enable {
    virtualisation.docker = {
      enable = true;
      # NixOS has it on, and with it Docker refuses Swarm mode.
      liveRestore = false;
      # A prune takes images that the next run needs again, and registries limit how often they give them.
      autoPrune.enable = false;
      daemon.settings = {
        bip = "${cfg.hostAddress}/16";
        log-driver = "json-file";
        log-opts = {
          max-size = "10m";
          max-file = "3";
        };
      };
    };
    # Runs take pictures of pages; without fonts, emoji among them, these show boxes.
    fonts.enableDefaultPackages = true;
    # Recipes bind it; NixOS has no such file of its own.
    environment.etc.timezone.text = "${
      if config.time.timeZone == null then "UTC" else config.time.timeZone
    }\n";
    assertions = [
      {
        assertion = !config.virtualisation.docker.liveRestore;
        message = "virtualisation.docker.liveRestore is on: Docker refuses Swarm mode with it. Leave it off while services.cc-ci.swarm.enable is set.";
      }
    ];
  };
}
