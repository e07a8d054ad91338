# Reads the state folder and notes there what was sent; it needs nothing else of the host.
{
  cfg,
  pkg,
  secret,
}:
let
  service = import ./service.nix { inherit cfg pkg; };
  hardening = import ./hardening.nix;
  token = import ./report-token.nix { inherit secret; };
in
{
  services.cc-ci-send-reports =
    service "send-reports" token.environment (
      hardening.closed
      // {
        User = "cc-ci";
        Group = "cc-ci";
        WorkingDirectory = cfg.stateDir;
        ReadWritePaths = [ cfg.stateDir ];
        Restart = "always";
        RestartSec = 15;
        MemoryMax = cfg.reports.memoryMax;
      }
      // token.serviceConfig
    )
    // {
      description = "cc-ci: hand the records of runs on to the dashboard";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      # A dashboard that is away for a night must not end it for good.
      unitConfig.StartLimitIntervalSec = 0;
    };
  timers = { };
}
