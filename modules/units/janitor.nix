{ cfg, pkg, ... }:
let
  service = import ./service.nix { inherit cfg pkg; };
  hardening = import ./hardening.nix;
in
{
  services.cc-ci-janitor =
    service "janitor" { HOME = cfg.stateDir; } (
      hardening.docker
      // {
        Type = "oneshot";
        TimeoutStartSec = 1800;
        User = "cc-ci";
        Group = "cc-ci";
        WorkingDirectory = cfg.stateDir;
        ReadWritePaths = [ cfg.stateDir ];
        MemoryMax = "1G";
      }
    )
    // {
      description = "cc-ci: clean up after runs that were killed";
      wants = [ "docker.service" ];
      after = [ "docker.service" ];
      path = map pkg [
        "abra"
        "docker"
        "git"
      ];
    };
  timers.cc-ci-janitor = {
    description = "cc-ci: clean up after runs that were killed";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = "5min";
      OnUnitInactiveSec = cfg.janitor.interval;
    };
  };
}
