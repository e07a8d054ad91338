# Drone: its server, and an exec runner that runs the stages on this host (docs/drone.md).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.cc-ci;
  inherit (cfg) drone;
  inherit (lib) mkOption types;
  handOver = import ./hand-over.nix { inherit config pkgs; };
in
{
  options.services.cc-ci.drone = {
    url = mkOption {
      type = types.nullOr (types.strMatching "https?://.+");
      default = if drone.server.enable then "https://${drone.server.domain}" else null;
      defaultText = "that of this host's server, where there is one";
      description = "Base URL of the Drone server.";
    };
    repository = mkOption {
      type = types.strMatching "[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+";
      default = "${if cfg.org == null then "cc-ci" else cfg.org}/cc-ci";
      defaultText = lib.literalExpression ''"''${config.services.cc-ci.org}/cc-ci"'';
      description = "The repository with `.drone.yml` and `tests/` whose builds are started.";
    };
    branch = mkOption {
      type = types.str;
      default = "main";
      description = "The branch of that repository.";
    };
    server = {
      enable = lib.mkEnableOption "the Drone server";
      package = mkOption {
        type = types.package;
        default = pkgs.drone;
        defaultText = lib.literalExpression "pkgs.drone";
        description = "Drone, not drone-oss: that one has no endpoint for runners. Its licence is not free for larger commercial use.";
      };
      domain = mkOption {
        type = types.str;
        default = "drone.${cfg.zone}";
        defaultText = lib.literalExpression ''"drone.''${config.services.cc-ci.zone}"'';
        description = "Public name of the Drone server.";
      };
      port = mkOption {
        type = types.port;
        default = 8092;
        description = "Port it listens on, at services.cc-ci.hostAddress.";
      };
      memoryMax = mkOption {
        type = types.str;
        default = "1G";
        description = "Memory it may use (systemd.resource-control(5)).";
      };
    };
    runner = {
      enable = lib.mkEnableOption "a Drone exec runner on this host";
      package = mkOption {
        type = types.package;
        default = (import ../nix/packages { inherit pkgs; }).drone-runner-exec;
        description = "The drone-runner-exec program.";
      };
      name = mkOption {
        type = types.str;
        default = config.networking.hostName;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "The name Drone shows it by.";
      };
      memoryMax = mkOption {
        type = types.str;
        default = "${toString (512 + 3072 * cfg.maxTests)}M";
        defaultText = "512 MiB, and 3 GiB for each of maxTests";
        description = "Memory it may use with all the builds it runs (systemd.resource-control(5)).";
      };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf drone.server.enable (handOver ./units/drone-server.nix))
    (lib.mkIf drone.runner.enable (handOver ./units/drone-runner.nix))
    (lib.mkIf (drone.server.enable || drone.runner.enable) {
      assertions = [
        {
          assertion = !drone.server.enable || (cfg.forge.url != null && cfg.forge.bot != null);
          message = "services.cc-ci.drone.server.enable needs services.cc-ci.forge.url and forge.bot: Drone signs people in at the forge, and the bot starts the builds.";
        }
        {
          assertion = !drone.server.enable || !(lib.hasPrefix "drone-oss" (lib.getName drone.server.package));
          message = "services.cc-ci.drone.server.package is drone-oss, which has no endpoint for runners: use pkgs.drone.";
        }
        {
          assertion = !drone.runner.enable || cfg.swarm.enable;
          message = "services.cc-ci.drone.runner.enable needs services.cc-ci.swarm.enable: builds deploy to this host's Swarm.";
        }
        {
          assertion = !drone.runner.enable || drone.url != null;
          message = "services.cc-ci.drone.runner.enable needs services.cc-ci.drone.url: where is the server?";
        }
      ];
      warnings =
        lib.optional (drone.runner.enable && cfg.engine == "local")
          "services.cc-ci.drone.runner.enable is set, but services.cc-ci.engine is \"local\": its builds look for settings of the embedded engine.";
    })
  ];
}
