# cc-ci: only this machine's facts. What a CI server is, modules/ says.
{ lib, ... }:
let
  secrets = ./secrets.yaml;
in
{
  imports = [ ./hardware.nix ];

  networking.hostName = "cc-ci";
  time.timeZone = "UTC";
  services.openssh.enable = true;
  services.openssh.settings.PasswordAuthentication = false;
  system.stateVersion = "26.05";

  services.cc-ci = {
    zone = "ci.commoninternet.net";
    org = "recipe-maintainers";
    forge.url = "https://git.autonomic.zone";
    forge.bot = "cc-ci";
    # Until `cc-ci secrets init` has made it, secrets come from a folder, and the configuration says so.
    secrets.sopsFile = lib.mkIf (builtins.pathExists secrets) secrets;
  };
}
