# Traefik is the recipe `traefik`, deployed by `cc-ci reconcile traefik` with a wildcard certificate that the operator
# provides. Here: where that lies, and the ports.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.cc-ci;
  inherit (lib) mkOption types;
  file =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };
in
{
  options.services.cc-ci.traefik = {
    enable = lib.mkEnableOption "Traefik, by its recipe, with a wildcard certificate from files";
    certificateDir = mkOption {
      type = types.path;
      default = "/var/lib/ci-certs/live";
      description = "Folder with the certificate of the zone and its key. A renewed one is noticed and rolled in.";
    };
    certificate = file "fullchain.pem" "Name of the certificate's file there, with its chain.";
    key = file "privkey.pem" "Name of the key's file there.";
  };

  config = lib.mkIf cfg.traefik.enable {
    networking.firewall.allowedTCPPorts = [
      80
      443
    ];
    # The way from Traefik's container to what runs on the host itself (`cc-ci reconcile edge`).
    networking.firewall.interfaces = lib.genAttrs [ "docker0" "docker_gwbridge" ] (_: {
      allowedTCPPorts =
        lib.optional cfg.bridge.enable cfg.bridge.port
        ++ lib.optional cfg.dashboard.enable cfg.dashboard.port
        ++ lib.optional cfg.drone.server.enable cfg.drone.server.port;
    });
    assertions = [
      {
        assertion = cfg.swarm.enable;
        message = "services.cc-ci.traefik.enable needs services.cc-ci.swarm.enable: Traefik is deployed to this host's Swarm.";
      }
    ];
  };
}
