# The settings of cc-ci as `{ group.member = value; }`, the form of the JSON file that CC_CI_CONFIG names. Plain data:
# no lib, no pkgs. Members that are null are left out, so that cc-ci's own default holds. Secrets are never here, only the
# paths of their files, which root can read, so that `cc-ci doctor` and `cc-ci reconcile` say the same in root's shell as in
# the units. Services are not root: their units give them files of their own, which win.
{ cfg, pkg }:
let
  given =
    set:
    builtins.removeAttrs set (builtins.filter (name: set.${name} == null) (builtins.attrNames set));
  when = condition: set: if condition then set else { };
  byDrone = cfg.engine == "drone";

  groups = {
    common = {
      inherit (cfg) stateDir logLevel publicUrl;
    };
    runner = {
      inherit (cfg) zone recipesUrl;
      abra = "${pkg "abra"}/bin/abra";
      chromium = "${pkg "chromium"}/bin/chromium";
      # In Drone's builds the tests are the checkout's: a new recipe test needs no rebuild of any host.
      testsDir = if byDrone then null else "${pkg "cc-ci"}/lib/cc-ci/tests";
    };
    engine = {
      inherit (cfg) maxTests buildTimeout;
      kind = if byDrone then "drone" else null;
    };
    bridge = when cfg.bridge.enable {
      inherit (cfg) org;
      inherit (cfg.bridge)
        pollInterval
        enrolled
        allowUsers
        ignoreUsers
        mention
        ;
      forgeUrl = cfg.forge.url;
      forgeTokenFile = cfg.secrets.files.forge-token or null;
      hookSecretFile = if cfg.bridge.hook then cfg.secrets.files.hook-secret or null else null;
      listen = "${cfg.hostAddress}:${toString cfg.bridge.port}";
    };
    dashboard = when cfg.dashboard.enable {
      inherit (cfg.dashboard) siteDir;
      listen = "${cfg.hostAddress}:${toString cfg.dashboard.port}";
    };
    reports = {
      inherit (cfg.reports) url;
    };
    drone = when byDrone {
      inherit (cfg.drone) url repository branch;
      tokenFile = "${cfg.hostDir}/drone-token";
    };
    host = when cfg.swarm.enable (
      {
        inherit (cfg) hostDir;
        inherit (cfg.swarm) advertiseAddress;
      }
      // when cfg.traefik.enable {
        certificateFile = "${cfg.traefik.certificateDir}/${cfg.traefik.certificate}";
        certificateKeyFile = "${cfg.traefik.certificateDir}/${cfg.traefik.key}";
        dashboardDomain = cfg.dashboard.domain;
      }
      // when cfg.drone.server.enable {
        droneDomain = cfg.drone.server.domain;
        droneListen = "${cfg.hostAddress}:${toString cfg.drone.server.port}";
        forgeBot = cfg.forge.bot;
        forgePasswordFile = cfg.secrets.files.forge-password or null;
        droneUnit = "drone-server.service";
      }
    );
  };

  names = builtins.attrNames (groups // cfg.settings);
  group = name: given ((groups.${name} or { }) // (cfg.settings.${name} or { }));
  all = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = group name;
    }) names
  );
in
builtins.removeAttrs all (builtins.filter (name: all.${name} == { }) names)
