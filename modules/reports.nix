# On a host of runners only: hands the records of its runs on to the dashboard of another host, which it shares no disk
# with.
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
  options.services.cc-ci.reports = {
    url = lib.mkOption {
      type = lib.types.nullOr (lib.types.strMatching "https?://.+");
      default = null;
      example = "https://ci.ci.example.org";
      description = "The dashboard of another host that this host's run records are handed on to, with the secret `report-token`. There `dashboard.reports` is set.";
    };
    memoryMax = lib.mkOption {
      type = lib.types.str;
      default = "512M";
      description = "Memory that handing them on may use (systemd.resource-control(5)).";
    };
  };

  config = lib.mkIf (cfg.reports.url != null) (
    lib.mkMerge [
      (import ./hand-over.nix { inherit config pkgs; } ./units/reports.nix)
      {
        assertions = [
          {
            assertion = !cfg.dashboard.enable;
            message = "services.cc-ci.reports.url is set on a host with a dashboard of its own, which sees the runs here anyway: leave one out.";
          }
        ];
      }
    ]
  );
}
