# Runs the steps of .drone.yml as the user cc-ci. Steps see the runner's PATH, and the settings file by its name.
{
  cfg,
  pkg,
  secret,
}:
let
  hardening = import ./hardening.nix;
  host = builtins.head (builtins.match "https?://([^/]+).*" cfg.drone.url);
  proto = builtins.head (builtins.match "(https?)://.*" cfg.drone.url);
  after = [
    "network-online.target"
    "docker.service"
  ]
  ++ (if cfg.drone.server.enable then [ "drone-server.service" ] else [ ]);
in
{
  services.drone-runner = {
    description = "Drone: exec runner";
    wantedBy = [ "multi-user.target" ];
    wants = after;
    inherit after;
    unitConfig.StartLimitIntervalSec = 0;
    path = map pkg [
      "abra"
      "bash"
      "cc-ci"
      "chromium"
      "coreutils"
      "docker"
      "git"
      "gnutar"
      "gzip"
      "openssl"
    ];
    environment = {
      DRONE_RPC_HOST = host;
      DRONE_RPC_PROTO = proto;
      DRONE_RUNNER_NAME = cfg.drone.runner.name;
      DRONE_RUNNER_CAPACITY = toString cfg.maxTests;
      # Its parser wants exactly one colon in each. Steps have a HOME of their own; credentials of registries are here.
      DRONE_RUNNER_ENVIRON = "CC_CI_CONFIG:/etc/cc-ci/config.json,DOCKER_CONFIG:${cfg.stateDir}/.docker";
      # Its own page of builds has no password.
      DRONE_UI_DISABLE = "true";
      DRONE_HTTP_BIND = "127.0.0.1:8093";
      HOME = cfg.stateDir;
    };
    serviceConfig = hardening.docker // {
      ExecStart = "${pkg "drone-runner-exec"}/bin/drone-runner-exec daemon";
      EnvironmentFile = [ (secret "drone-rpc.env") ];
      User = "cc-ci";
      Group = "cc-ci";
      WorkingDirectory = cfg.stateDir;
      ReadWritePaths = [ cfg.stateDir ];
      # Only the runner: a `cc-ci stage` sees that it is gone, and tears its app down before it ends.
      KillMode = "process";
      OOMPolicy = "continue";
      Restart = "always";
      RestartSec = 15;
      MemoryMax = cfg.drone.runner.memoryMax;
    };
  };
  timers = { };
}
