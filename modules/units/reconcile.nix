# One oneshot for each part of the host that NixOS cannot declare. None stays "active" after it: what has ended is begun
# again by the next start of multi-user.target, which is what boot and each switch do, and by the timer.
#
# Exit codes of `cc-ci reconcile`: 0 all was right, 3 something was changed, anything else blocked or failed.
{
  cfg,
  pkg,
  secret,
}:
let
  service = import ./service.nix { inherit cfg pkg; };
  hardening = import ./hardening.nix;
  changed = 3;

  # `needs`: parts without which this one has nothing to work on. `units`: the same, of others.
  # `follows`: what it merely comes after.
  table = {
    swarm = {
      enabled = cfg.swarm.enable;
      what = "this engine is a Swarm of one node";
      environment.CC_CI_ADVERTISE_ADDRESS = cfg.swarm.advertiseAddress;
      units = [ "docker.service" ];
    };
    network = {
      enabled = cfg.swarm.enable;
      what = "the overlay network proxy";
      needs = [ "swarm" ];
    };
    traefik = {
      enabled = cfg.traefik.enable;
      what = "Traefik and its certificate";
      needs = [ "network" ];
      # Whoever puts the certificate there may own it.
      capabilities = "CAP_DAC_READ_SEARCH";
      environment = {
        CC_CI_CERTIFICATE_FILE = "${cfg.traefik.certificateDir}/${cfg.traefik.certificate}";
        CC_CI_CERTIFICATE_KEY_FILE = "${cfg.traefik.certificateDir}/${cfg.traefik.key}";
      };
    };
    backupbot = {
      enabled = cfg.backupbot.enable;
      what = "backup-bot-two";
      needs = [ "swarm" ];
    };
    edge = {
      enabled =
        cfg.traefik.enable && (cfg.bridge.enable || cfg.dashboard.enable || cfg.drone.server.enable);
      what = "the way from Traefik to dashboard, webhook and Drone";
      needs = [ "traefik" ];
    };
    # Before Drone's server, which cannot start without.
    oauth = {
      enabled = cfg.drone.server.enable;
      what = "Drone's OAuth application at the forge";
      environment = ofDrone // {
        # Restarted when its client is a new one. Not in the unit below, which that would end: it requires the server.
        CC_CI_DRONE_UNIT = "drone-server.service";
      };
    };
    drone = {
      enabled = cfg.drone.server.enable;
      what = "Drone's user, token and repository";
      units = [ "drone-server.service" ];
      # Signing in goes through Drone's public name.
      follows = [
        "oauth"
        "edge"
      ];
      environment = ofDrone;
    };
  };
  # By the files themselves, which are root's as the reconcilers are: one that is missing is theirs to name.
  ofDrone = {
    CC_CI_FORGE_URL = cfg.forge.url;
    CC_CI_FORGE_BOT = cfg.forge.bot;
    CC_CI_FORGE_PASSWORD_FILE = secret "forge-password";
    CC_CI_DRONE_URL = "https://${cfg.drone.server.domain}";
    CC_CI_DRONE_REPOSITORY = cfg.drone.repository;
  };

  enabled = builtins.filter (part: table.${part}.enabled) (builtins.attrNames table);
  unitOf = part: "cc-ci-reconcile-${part}.service";
  unitsOf = parts: map unitOf (builtins.filter (part: builtins.elem part enabled) parts);

  reconciler =
    part:
    let
      it = {
        needs = [ ];
        units = [ ];
        follows = [ ];
        environment = { };
        capabilities = "";
      }
      // table.${part};
      requires = it.units ++ unitsOf it.needs;
    in
    service "reconcile ${part}"
      (
        {
          CC_CI_HOST_DIR = cfg.hostDir;
          HOME = cfg.hostDir;
        }
        // it.environment
      )
      (
        hardening.root
        // {
          Type = "oneshot";
          CapabilityBoundingSet = it.capabilities;
          TimeoutStartSec = 900;
          SuccessExitStatus = changed;
          WorkingDirectory = cfg.hostDir;
          ReadWritePaths = [ cfg.hostDir ];
          MemoryMax = "1G";
        }
      )
    // {
      description = "cc-ci: ${it.what}";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      inherit requires;
      after = [ "network-online.target" ] ++ requires ++ unitsOf it.follows;
      path = map pkg [
        "abra"
        "docker"
        "git"
        "openssl"
        "systemd"
      ];
    };

  all = map unitOf enabled;

  # Where there is a bridge, what is right and what is not is then said in one screen, as the user that works with it;
  # the unit fails where something is not.
  credentials = import ./credentials.nix { inherit cfg secret; };
  said =
    if !cfg.bridge.enable then
      {
        description = "cc-ci: look at every part again";
        serviceConfig = hardening.closed // {
          Type = "oneshot";
          DynamicUser = true;
          ExecStart = "${pkg "coreutils"}/bin/true";
        };
      }
    else
      service "doctor" (credentials.environment // { HOME = cfg.stateDir; }) (
        hardening.docker
        // {
          Type = "oneshot";
          TimeoutStartSec = 300;
          User = "cc-ci";
          Group = "cc-ci";
          WorkingDirectory = cfg.stateDir;
          ReadWritePaths = [ cfg.stateDir ];
          MemoryMax = "512M";
        }
        // credentials.serviceConfig
      )
      // {
        description = "cc-ci: look at every part again, and say what is right and what is not";
        path = map pkg [
          "abra"
          "chromium"
          "docker"
          "git"
          "systemd"
        ];
      };
in
{
  services =
    builtins.listToAttrs (
      map (part: {
        name = "cc-ci-reconcile-${part}";
        value = reconciler part;
      }) enabled
    )
    // {
      # Starting it starts every part again.
      cc-ci-converge = said // {
        wants = all;
        after = all;
      };
    };
  timers.cc-ci-converge = {
    description = "cc-ci: look at every part again";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = cfg.reconcile.interval;
      OnUnitInactiveSec = cfg.reconcile.interval;
    };
  };
}
