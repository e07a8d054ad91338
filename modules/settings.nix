# The settings of cc-ci as `{ group.member = value; }`, the form of the JSON file that CC_CI_CONFIG names. Plain data:
# no lib, no pkgs. Members that are null are left out, so that cc-ci's own default holds. Secrets are never here: units
# name their files.
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
    };
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
