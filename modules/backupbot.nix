# backup-bot-two is a recipe, deployed by `cc-ci reconcile backupbot` with a restic repository on this host.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.cc-ci;
in
{
  options.services.cc-ci.backupbot = {
    enable = lib.mkEnableOption "backup-bot-two, by its recipe, with a local restic repository";
  };

  config = lib.mkIf cfg.backupbot.enable {
    assertions = [
      {
        assertion = cfg.swarm.enable;
        message = "services.cc-ci.backupbot.enable needs services.cc-ci.swarm.enable: it is deployed to this host's Swarm.";
      }
    ];
  };
}
