# The bridge: watches the forge for comments, starts builds, and reports on pull requests.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.cc-ci;
  inherit (lib) mkOption types;
  names =
    description:
    mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      inherit description;
    };
  ports = [
    cfg.bridge.port
  ]
  ++ lib.optional cfg.dashboard.enable cfg.dashboard.port
  ++ lib.optional cfg.drone.server.enable cfg.drone.server.port;
in
{
  options.services.cc-ci.bridge = {
    enable = lib.mkEnableOption "the bridge between pull requests and builds";
    port = mkOption {
      type = types.port;
      default = 8090;
      description = "Port of its HTTP server, at services.cc-ci.hostAddress.";
    };
    hook = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the forge's webhooks are taken, signed with the secret `hook-secret`. Polling goes on either way.";
    };
    pollInterval = mkOption {
      type = types.nullOr (types.numbers.between 0.1 3600);
      default = null;
      description = "Seconds between two looks at the forge.";
    };
    enrolled = names "Repositories of the organisation that are tested: names and patterns, `!` excludes. Default: all.";
    allowUsers = names "Users who may ask without being members.";
    ignoreUsers = names "Users whose comments are never commands: other bots.";
    mention = mkOption {
      type = types.nullOr (
        types.enum [
          "always"
          "failure"
          "never"
        ]
      );
      default = null;
      description = "When whoever asked is told in a fresh comment that the run has ended.";
    };
    memoryMax = mkOption {
      type = types.str;
      default = if cfg.engine == "local" then "${toString (512 + 3072 * cfg.maxTests)}M" else "512M";
      defaultText = "512 MiB; with the embedded engine 3 GiB more for each of maxTests";
      description = "Memory it may use, with the runs of the embedded engine (systemd.resource-control(5)).";
    };
  };

  config = lib.mkIf cfg.bridge.enable (
    lib.mkMerge [
      (import ./hand-over.nix { inherit config pkgs; } ./units/bridge.nix)
      {
        assertions = [
          {
            assertion = cfg.org != null && cfg.forge.url != null;
            message = "services.cc-ci.bridge.enable needs services.cc-ci.org and services.cc-ci.forge.url: whose pull requests, and where?";
          }
          {
            assertion = cfg.engine != "local" || cfg.swarm.enable;
            message = "services.cc-ci.bridge.enable with the embedded engine needs services.cc-ci.swarm.enable: runs deploy to this host's Swarm.";
          }
          {
            assertion = lib.unique ports == ports;
            message = "services.cc-ci: bridge, dashboard and Drone must listen on ports of their own; two of ${toString ports} are the same.";
          }
        ];
      }
    ]
  );
}
