# The secrets this host needs from its operator's file, and who must be restarted when one changes. Plain data.
{ cfg }:
let
  table = {
    # The bot's access token at the forge.
    forge-token = {
      needed = cfg.bridge.enable || cfg.drone.server.enable;
      restartUnits = if cfg.bridge.enable then [ "cc-ci-bridge.service" ] else [ ];
    };
    # The bot's password: with it the reconcilers sign in to Drone, without a person at a browser.
    forge-password = {
      needed = cfg.drone.server.enable;
      restartUnits = [ ];
    };
    # Signs webhook deliveries.
    hook-secret = {
      needed = cfg.bridge.enable && cfg.bridge.hook;
      restartUnits = [ "cc-ci-bridge.service" ];
    };
    # Shared by Drone's server and its runners; read as a line of an environment file, see drone-rpc.env.
    drone-rpc-secret = {
      needed = cfg.drone.server.enable || cfg.drone.runner.enable;
      restartUnits =
        (if cfg.drone.server.enable then [ "drone-server.service" ] else [ ])
        ++ (if cfg.drone.runner.enable then [ "drone-runner.service" ] else [ ]);
    };
    # Shared by the dashboard and hosts of runners, which hand the records of their runs on to it.
    report-token = {
      needed = takesReports || cfg.reports.url != null;
      restartUnits =
        (if takesReports then [ "cc-ci-dashboard.service" ] else [ ])
        ++ (if cfg.reports.url != null then [ "cc-ci-send-reports.service" ] else [ ]);
    };
  };
  takesReports = cfg.dashboard.enable && cfg.dashboard.reports;
  needed = builtins.filter (name: table.${name}.needed) (builtins.attrNames table);
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = { inherit (table.${name}) restartUnits; };
  }) needed
)
