# The secrets that the bridge's settings name, as systemd credentials: `%d` is the unit's own folder of them.
{ cfg, secret }:
let
  when = condition: list: if condition then list else [ ];
  credentials = [
    {
      name = "forge-token";
      variable = "CC_CI_FORGE_TOKEN_FILE";
      file = secret "forge-token";
    }
  ]
  ++ when cfg.bridge.hook [
    {
      name = "hook-secret";
      variable = "CC_CI_HOOK_SECRET_FILE";
      file = secret "hook-secret";
    }
  ]
  # Made by `cc-ci reconcile drone`, or put there for a server elsewhere.
  ++ when (cfg.engine == "drone") [
    {
      name = "drone-token";
      variable = "CC_CI_DRONE_TOKEN_FILE";
      file = "${cfg.hostDir}/drone-token";
    }
  ];
in
{
  environment = builtins.listToAttrs (
    map (it: {
      name = it.variable;
      value = "%d/${it.name}";
    }) credentials
  );
  serviceConfig = {
    LoadCredential = map (it: "${it.name}:${it.file}") credentials;
    # For a file that is not there: an empty line (systemd takes no less), so that cc-ci says which secret is missing, not
    # systemd that one is.
    SetCredential = map (it: "${it.name}:\\n") credentials;
  };
}
