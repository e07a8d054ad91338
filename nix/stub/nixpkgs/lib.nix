# The functions of nixpkgs' lib that our files use.
{
  properties,
  evalModules,
  types,
}:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    filter
    listToAttrs
    match
    substring
    ;
in
rec {
  inherit evalModules types;
  inherit (properties)
    mkIf
    mkMerge
    mkOverride
    mkDefault
    mkForce
    ;
  inherit (builtins) mapAttrs concatStringsSep;
  mkOption = option: option // { _type = "option"; };
  mkEnableOption =
    what:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable ${what}.";
    };
  literalExpression = text: text;

  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  genAttrs =
    names: f:
    listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );
  filterAttrs =
    keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  unique = builtins.foldl' (list: it: if elem it list then list else list ++ [ it ]) [ ];
  hasPrefix = prefix: text: substring 0 (builtins.stringLength prefix) text == prefix;
  escapeShellArg =
    value:
    if match "[[:alnum:],._+:@%/-]+" (toString value) != null then
      toString value
    else
      "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString value)}'";
  escapeShellArgs = values: concatStringsSep " " (map escapeShellArg values);
  makeBinPath = packages: concatStringsSep ":" (map (package: "${package}/bin") packages);
  getName = package: if builtins.isString package then package else package.pname;
  licenses = {
    gpl3Plus.free = true;
    unfreeRedistributable.free = false;
  };
  platforms.linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
}
