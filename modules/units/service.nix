# What every unit of the cc-ci program has. A new settings file is a new trigger, so that the service is restarted.
{ cfg, pkg }:
command: environment: serviceConfig:
{
  environment = {
    CC_CI_CONFIG = "/etc/cc-ci/config.json";
  }
  // environment;
  restartTriggers = [ cfg.settingsText ];
  serviceConfig = {
    ExecStart = "${pkg "cc-ci"}/bin/cc-ci ${command}";
    SyslogIdentifier = "cc-ci";
  }
  // serviceConfig;
}
