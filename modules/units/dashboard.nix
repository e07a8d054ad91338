# Runs as the owner of the state folder, for it links files of runs into the site and opens the engine's database; its
# unit has no Docker group.
{
  cfg,
  pkg,
  secret,
}:
let
  service = import ./service.nix { inherit cfg pkg; };
  hardening = import ./hardening.nix;
  # The address it listens on is Docker's.
  docker = if cfg.swarm.enable then [ "docker.service" ] else [ ];
  token =
    if cfg.dashboard.reports then
      import ./report-token.nix { inherit secret; }
    else
      {
        environment = { };
        serviceConfig = { };
      };
  shared = hardening.closed // {
    User = "cc-ci";
    Group = "cc-ci";
    WorkingDirectory = cfg.stateDir;
    ReadWritePaths = [
      cfg.stateDir
    ]
    ++ (if cfg.dashboard.siteDir == null then [ ] else [ cfg.dashboard.siteDir ]);
    MemoryMax = cfg.dashboard.memoryMax;
  };
in
if cfg.dashboard.serve then
  {
    services.cc-ci-dashboard =
      service "dashboard serve" token.environment (
        shared
        // {
          Restart = "always";
          RestartSec = 5;
        }
        // token.serviceConfig
      )
      // {
        description = "cc-ci: the pages of all runs";
        wantedBy = [ "multi-user.target" ];
        wants = docker;
        after = [ "network.target" ] ++ docker;
        unitConfig.StartLimitIntervalSec = 0;
      };
    timers = { };
  }
else
  {
    services.cc-ci-dashboard-build = service "dashboard build" { } (shared // { Type = "oneshot"; }) // {
      description = "cc-ci: make the pages of all runs";
    };
    timers.cc-ci-dashboard-build = {
      description = "cc-ci: make the pages of all runs";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnBootSec = cfg.dashboard.interval;
        OnUnitInactiveSec = cfg.dashboard.interval;
      };
    };
  }
