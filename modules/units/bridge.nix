{
  cfg,
  pkg,
  secret,
}:
let
  service = import ./service.nix { inherit cfg pkg; };
  hardening = import ./hardening.nix;
  byDrone = cfg.engine == "drone";
  droneHere = byDrone && cfg.drone.server.enable;
  credentials = import ./credentials.nix { inherit cfg secret; };
  after = [
    "network-online.target"
  ]
  # Where runs happen; and the address it listens on is Docker's.
  ++ (if cfg.swarm.enable then [ "docker.service" ] else [ ])
  ++ (if droneHere then [ "cc-ci-reconcile-drone.service" ] else [ ]);
in
{
  services.cc-ci-bridge =
    service "bridge"
      (credentials.environment // { HOME = cfg.stateDir; })
      (
        (if byDrone then hardening.closed else hardening.docker)
        // {
          Type = "notify";
          # systemd-notify speaks for the process.
          NotifyAccess = "all";
          WatchdogSec = 60;
          # The first look at a slow forge comes before it says that it is up.
          TimeoutStartSec = 180;
          # Longer than it gives itself to end (240 s).
          TimeoutStopSec = 300;
          # Builds of the embedded engine outlive the bridge, each under a supervisor of its own.
          KillMode = "process";
          Restart = "always";
          RestartSec = 15;
          OOMPolicy = "continue";
          MemoryMax = cfg.bridge.memoryMax;
          User = "cc-ci";
          Group = "cc-ci";
          WorkingDirectory = cfg.stateDir;
          ReadWritePaths = [ cfg.stateDir ];
        }
        // credentials.serviceConfig
      )
    // {
      description = "cc-ci: from comments on pull requests to builds, and back";
      wantedBy = [ "multi-user.target" ];
      wants = after;
      inherit after;
      # A forge that is down for a night must not end it for good.
      unitConfig.StartLimitIntervalSec = 0;
      path = map pkg (
        [ "systemd" ]
        ++ (
          if byDrone then
            [ ]
          else
            [
              "abra"
              "bash"
              "chromium"
              "docker"
              "git"
              "openssl"
            ]
        )
      );
    };
  timers = { };
}
