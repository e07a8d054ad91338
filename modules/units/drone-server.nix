# Drone reads its secrets from its environment only, so they come as environment files, which systemd reads as root.
{
  cfg,
  pkg,
  secret,
}:
let
  hardening = import ./hardening.nix;
in
{
  services.drone-server = {
    description = "Drone: server";
    wantedBy = [ "multi-user.target" ];
    # Wanted, not required: with the OAuth client of an earlier day it starts also while the forge is down.
    wants = [
      "network-online.target"
      "cc-ci-reconcile-oauth.service"
    ];
    after = [
      "network-online.target"
      "cc-ci-reconcile-oauth.service"
    ]
    # The address it listens on is Docker's.
    ++ (if cfg.swarm.enable then [ "docker.service" ] else [ ]);
    unitConfig.StartLimitIntervalSec = 0;
    environment = {
      DRONE_SERVER_HOST = cfg.drone.server.domain;
      DRONE_SERVER_PROTO = "https";
      DRONE_SERVER_PORT = "${cfg.hostAddress}:${toString cfg.drone.server.port}";
      DRONE_GITEA_SERVER = cfg.forge.url;
      # The bot starts the builds and sets the repository up.
      DRONE_USER_CREATE = "username:${cfg.forge.bot},admin:true";
      DRONE_DATABASE_DRIVER = "sqlite3";
      DRONE_DATABASE_DATASOURCE = "/var/lib/drone/drone.sqlite";
    };
    serviceConfig = hardening.closed // {
      ExecStart = "${pkg "drone-server"}/bin/drone-server";
      # DRONE_RPC_SECRET; then DRONE_GITEA_CLIENT_ID and _SECRET, made by `cc-ci reconcile oauth`.
      EnvironmentFile = [
        (secret "drone-rpc.env")
        "${cfg.hostDir}/drone-oauth.env"
      ];
      DynamicUser = true;
      StateDirectory = "drone";
      StateDirectoryMode = "0700";
      WorkingDirectory = "/var/lib/drone";
      Restart = "always";
      RestartSec = 15;
      MemoryMax = cfg.drone.server.memoryMax;
    };
  };
  timers = { };
}
