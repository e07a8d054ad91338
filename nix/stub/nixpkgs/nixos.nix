# The options of NixOS that our modules and hosts set, with their types. Whatever else is set is an error here, so that a
# misspelt option is one, too.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  anything = option types.unspecified;
  bool = option types.bool;
  texts = option (types.listOf types.str) [ ];
  # Many a unit name: a list of those that systemd knows the end of.
  units =
    option
      (types.listOf (
        types.strMatching "[A-Za-z0-9:_.\\@-]+\\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)"
      ))
      [ ];
  atom = types.oneOf [
    types.bool
    types.int
    types.float
    types.str
    types.path
  ];
  unitOption = types.oneOf [
    atom
    (types.listOf atom)
  ];
  section = option (types.attrsOf unitOption) { };
  unit = {
    description = option types.str "";
    wantedBy = units;
    requiredBy = units;
    wants = units;
    requires = units;
    after = units;
    before = units;
    unitConfig = section;
  };
  attrsOf = options: option (types.attrsOf (types.submodule { inherit options; })) { };
  packageOrText = types.oneOf [
    types.package
    types.str
  ];
in
{
  options = {
    assertions = option (types.listOf (
      types.submodule {
        options.assertion = mkOption { type = types.bool; };
        options.message = mkOption { type = types.str; };
      }
    )) [ ];
    warnings = texts;

    boot.loader.systemd-boot.enable = bool false;
    boot.loader.efi.canTouchEfiVariables = bool false;
    boot.initrd.availableKernelModules = texts;
    fileSystems = attrsOf {
      device = mkOption { type = types.str; };
      fsType = mkOption { type = types.str; };
    };
    environment.etc = attrsOf { text = mkOption { type = types.lines; }; };
    environment.variables = option (types.attrsOf packageOrText) { };
    environment.systemPackages = option (types.listOf types.package) [ ];
    fonts.enableDefaultPackages = bool false;
    networking.hostName = option (types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") "nixos";
    networking.firewall.allowedTCPPorts = option (types.listOf types.port) [ ];
    networking.firewall.interfaces = attrsOf { allowedTCPPorts = option (types.listOf types.port) [ ]; };
    nixpkgs.config = anything { };
    services.openssh.enable = bool false;
    services.openssh.settings = anything { };
    time.timeZone = option (types.nullOr types.str) null;
    users.groups = attrsOf { };
    users.users = attrsOf {
      isSystemUser = bool false;
      group = option types.str "";
      home = option types.path "/var/empty";
      description = option types.str "";
    };
    virtualisation.docker = {
      enable = bool false;
      package = option types.package pkgs.docker;
      liveRestore = bool true;
      autoPrune.enable = bool false;
      daemon.settings = anything { };
    };

    systemd.tmpfiles.rules = texts;
    systemd.timers = attrsOf (unit // { timerConfig = section; });
    systemd.services = attrsOf (
      unit
      // {
        environment = option (types.attrsOf (types.nullOr packageOrText)) { };
        path = option (types.listOf packageOrText) [ ];
        restartTriggers = option (types.listOf types.unspecified) [ ];
        serviceConfig = section;
      }
    );

    system.stateVersion = mkOption { type = types.strMatching "[0-9]{2}\\.(05|11)"; };
    system.preSwitchChecks = option (types.attrsOf types.str) { };
    system.build.toplevel = option types.package pkgs.coreutils;
  };

  # A failed assertion ends the evaluation, as in NixOS; and all that is configured is evaluated.
  config.system.build.toplevel =
    let
      failed = builtins.filter (it: !it.assertion) config.assertions;
      said = builtins.concatStringsSep "\n" (map (it: "- ${it.message}") failed);
    in
    if failed != [ ] then
      throw "Failed assertions:\n${said}"
    else if !(config.fileSystems ? "/") then
      throw "Failed assertions:\n- The ‘fileSystems’ option does not specify your root file system."
    else
      builtins.derivation {
        name = "nixos-system-${config.networking.hostName}";
        system = "x86_64-linux";
        builder = "/bin/sh";
        all = builtins.toJSON {
          inherit (config)
            boot
            environment
            fileSystems
            networking
            services
            systemd
            users
            virtualisation
            warnings
            ;
          inherit (config.system) preSwitchChecks stateVersion;
        };
      };
}
