# What the dashboard and hosts of runners share, as a credential; see credentials.nix for the empty line.
{ secret }:
{
  environment.CC_CI_REPORT_TOKEN_FILE = "%d/report-token";
  serviceConfig = {
    LoadCredential = [ "report-token:${secret "report-token"}" ];
    SetCredential = [ "report-token:\\n" ];
  };
}
