# The dashboard: run records to pages, served.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.cc-ci;
  inherit (lib) mkOption types;
in
{
  options.services.cc-ci.dashboard = {
    enable = lib.mkEnableOption "the pages of all runs";
    serve = mkOption {
      type = types.bool;
      default = true;
      description = "Whether they are served, and made again at each change. Otherwise a timer makes them, for another web server.";
    };
    interval = mkOption {
      type = types.str;
      default = "1min";
      description = "Without `serve`: time between two generations (systemd.time(7)).";
    };
    domain = mkOption {
      type = types.str;
      default = "ci.${cfg.zone}";
      defaultText = lib.literalExpression ''"ci.''${config.services.cc-ci.zone}"'';
      description = "Its public name, with the webhook at /hook.";
    };
    port = mkOption {
      type = types.port;
      default = 8091;
      description = "Port of its HTTP server, at services.cc-ci.hostAddress.";
    };
    reports = mkOption {
      type = types.bool;
      default = false;
      description = "Whether hosts of runners may hand the records of their runs on to it (`reports.url` there), with the secret `report-token`.";
    };
    siteDir = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "Folder the pages are written to; default: `site` in the state folder, where files of runs need not be copied.";
    };
    memoryMax = mkOption {
      type = types.str;
      default = "1G";
      description = "Memory it may use (systemd.resource-control(5)).";
    };
  };

  config = lib.mkIf cfg.dashboard.enable (
    lib.mkMerge [
      (import ./hand-over.nix { inherit config pkgs; } ./units/dashboard.nix)
      {
        assertions = [
          {
            assertion = !cfg.dashboard.reports || cfg.dashboard.serve;
            message = "services.cc-ci.dashboard.reports needs services.cc-ci.dashboard.serve: without it nobody is there to take them.";
          }
        ];
        systemd.tmpfiles.rules = lib.optional (
          cfg.dashboard.siteDir != null
        ) "d ${cfg.dashboard.siteDir} 0755 cc-ci cc-ci -";
      }
    ]
  );
}
