# What all parts share: the package, places, the forge, and the settings file that services, Drone's builds and an
# operator's `cc-ci` read alike.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cc-ci;
  ours = import ../nix/packages { inherit pkgs; };
  anyPart =
    cfg.swarm.enable || cfg.bridge.enable || cfg.dashboard.enable || cfg.drone.server.enable || cfg.drone.runner.enable;
  settings = import ./settings.nix {
    inherit cfg;
    pkg =
      name:
      "${
        {
          inherit (pkgs) chromium;
          inherit (cfg) abra;
          cc-ci = cfg.package;
        }
        .${name}
      }";
  };
in
{
  options.services.cc-ci = {
    package = mkOption {
      type = types.package;
      default = ours.cc-ci;
      description = "The cc-ci program.";
    };
    abra = mkOption {
      type = types.package;
      default = ours.abra;
      description = "The abra program, which deploys recipes.";
    };
    stateDir = mkOption {
      type = types.path;
      default = "/var/lib/cc-ci";
      description = "Folder of run records and databases; the user cc-ci owns it.";
    };
    hostDir = mkOption {
      type = types.path;
      default = "/var/lib/cc-ci-host";
      description = "Folder of root for what only this host can make: Drone's OAuth client, its API token, abra's own folder. When it is lost, the reconcilers make all of it again.";
    };
    zone = mkOption {
      type = types.strMatching "[a-z0-9-]+(\\.[a-z0-9-]+)+";
      example = "ci.example.org";
      description = "Apps under test, the dashboard and Drone get names below this one; DNS sends all of them here.";
    };
    publicUrl = mkOption {
      type = types.strMatching "https?://.+";
      default = "https://${cfg.dashboard.domain}";
      defaultText = lib.literalExpression ''"https://''${config.services.cc-ci.dashboard.domain}"'';
      description = "Where people reach the dashboard; links to runs begin with it.";
    };
    hostAddress = mkOption {
      type = types.strMatching "[0-9]{1,3}(\\.[0-9]{1,3}){3}";
      default = "172.17.0.1";
      description = "Address of this host on Docker's own bridge. The services listen there, where Traefik's container reaches them and the outside does not.";
    };
    org = mkOption {
      type = types.nullOr (types.strMatching "[A-Za-z0-9][A-Za-z0-9_.-]*");
      default = null;
      description = "Organisation whose repositories are looked at and whose members may ask.";
    };
    forge.url = mkOption {
      type = types.nullOr (types.strMatching "https?://.+");
      default = null;
      example = "https://git.example.org";
      description = "Base URL of the Gitea server.";
    };
    forge.bot = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Login of the bot at the forge. With its password the reconcilers sign in to Drone.";
    };
    recipesUrl = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Where `cc-ci run` finds recipes that are given by name only.";
    };
    engine = mkOption {
      type = types.enum [
        "local"
        "drone"
      ];
      default = "local";
      description = "Who runs builds: `local`, the bridge itself, or `drone`, a Drone server and its exec runners.";
    };
    maxTests = mkOption {
      type = types.ints.between 1 64;
      default = 1;
      description = "Builds that run at once on this host.";
    };
    buildTimeout = mkOption {
      type = types.ints.between 10 86400;
      default = 3600;
      description = "Seconds a whole build may take.";
    };
    logLevel = mkOption {
      type = types.enum [
        "trace"
        "debug"
        "info"
        "warn"
        "error"
        "fatal"
      ];
      default = "info";
      description = "How much is logged.";
    };
    settings = mkOption {
      type = types.attrsOf (
        types.attrsOf (
          types.oneOf [
            types.bool
            types.int
            types.float
            types.str
            (types.listOf types.str)
          ]
        )
      );
      default = { };
      example = {
        runner.deployTimeout = 900;
      };
      description = "More settings of cc-ci, by group and member (docs/configuration.md), for what has no option here. They win. No secrets: the file is readable by all.";
    };
    settingsText = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      description = "The settings file; a change of it restarts the services.";
    };
  };

  config = lib.mkMerge [
    { services.cc-ci.settingsText = builtins.toJSON settings; }
    (lib.mkIf anyPart {
      environment.etc."cc-ci/config.json".text = cfg.settingsText;
      environment.variables.CC_CI_CONFIG = "/etc/cc-ci/config.json";
      environment.systemPackages = [
        cfg.package
        cfg.abra
      ];

      # In no group but its own: what needs Docker is given its group by its unit.
      users.users.cc-ci = {
        isSystemUser = true;
        group = "cc-ci";
        home = cfg.stateDir;
        description = "cc-ci's services and runs";
      };
      users.groups.cc-ci = { };
      systemd.tmpfiles.rules = [
        "d ${cfg.stateDir} 0750 cc-ci cc-ci -"
        "d ${cfg.hostDir} 0700 root root -"
      ];

      assertions = [
        {
          assertion = cfg.engine != "drone" || cfg.drone.url != null;
          message = "services.cc-ci.engine is \"drone\", but there is no Drone: set services.cc-ci.drone.server.enable, or services.cc-ci.drone.url for one elsewhere.";
        }
        {
          assertion = cfg.stateDir != cfg.hostDir;
          message = "services.cc-ci.stateDir and hostDir are the same folder; the first belongs to the user cc-ci, the second to root only.";
        }
      ];
    })
  ];
}
