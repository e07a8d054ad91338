# Option types: `check` says whether one definition is of the type, `merge` makes one value of several definitions.
{
  mergeDefinitions,
  pushDown,
  evalModules,
  fail,
}:
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    elem
    head
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isString
    length
    listToAttrs
    match
    ;
  last = list: builtins.elemAt list (length list - 1);
  # Several definitions of one priority must agree.
  same =
    loc: definitions:
    let
      first = (head definitions).value;
    in
    if all (it: it.value == first) definitions then
      first
    else
      fail loc "has conflicting definitions";
  simple = description: check: {
    inherit description check;
    merge = same;
  };
  isPathLike =
    value:
    builtins.isPath value
    || (isString value && builtins.substring 0 1 value == "/")
    || (isAttrs value && value ? outPath);

  types = rec {
    bool = simple "boolean" isBool;
    int = simple "signed integer" isInt;
    float = simple "floating point number" isFloat;
    str = simple "string" isString;
    path = simple "absolute path" isPathLike;
    package = simple "package" (value: (isAttrs value && value ? outPath) || isPathLike value);
    port = ints.between 0 65535;
    ints.between =
      low: high:
      simple "integer between ${toString low} and ${toString high}" (
        value: isInt value && value >= low && value <= high
      );
    numbers.between =
      low: high:
      simple "number between ${toString low} and ${toString high}" (
        value: (isInt value || isFloat value) && value >= low && value <= high
      );
    strMatching =
      pattern:
      simple "string matching ${pattern}" (value: isString value && match pattern value != null);
    enum = values: simple "one of ${builtins.toJSON values}" (value: elem value values);
    lines = str // {
      merge = _: definitions: builtins.concatStringsSep "\n" (map (it: it.value) definitions);
    };
    # Whatever it is; only for the options of NixOS that we do not look into.
    unspecified = simple "anything" (_: true);
    nullOr = type: {
      description = "null or ${type.description}";
      check = value: value == null || type.check value;
      merge =
        loc: definitions:
        if any (it: it.value == null) definitions then
          same loc definitions
        else
          type.merge loc definitions;
    };
    oneOf =
      alternatives:
      let
        fits = value: builtins.filter (type: type.check value) alternatives;
      in
      {
        description = builtins.concatStringsSep " or " (map (type: type.description) alternatives);
        check = value: fits value != [ ];
        merge =
          loc: definitions:
          let
            common = builtins.filter (
              type: all (it: type.check it.value) definitions
            ) alternatives;
          in
          if common == [ ] then
            fail loc "has definitions of different types"
          else
            (head common).merge loc definitions;
      };
    listOf = type: {
      description = "list of ${type.description}";
      check = isList;
      merge =
        loc: definitions:
        concatMap (
          it:
          map (
            value:
            mergeDefinitions loc type [
              {
                inherit (it) file;
                inherit value;
              }
            ]
          ) it.value
        ) definitions;
    };
    attrsOf = type: {
      description = "attribute set of ${type.description}";
      check = isAttrs;
      merge =
        loc: definitions:
        let
          pushed = concatMap (
            it:
            map (value: {
              inherit (it) file;
              inherit value;
            }) (pushDown it.value)
          ) definitions;
          names = attrNames (builtins.foldl' (sum: it: sum // it.value) { } pushed);
          at =
            name:
            concatMap (
              it:
              if it.value ? ${name} then
                [
                  {
                    inherit (it) file;
                    value = it.value.${name};
                  }
                ]
              else
                [ ]
            ) pushed;
          remains = name: mergeDefinitions.discharge (at name) != [ ];
        in
        listToAttrs (
          map (name: {
            inherit name;
            value = mergeDefinitions (loc ++ [ name ]) type (at name);
          }) (builtins.filter remains names)
        );
    };
    submodule = module: {
      description = "submodule";
      check = value: isAttrs value || builtins.isFunction value;
      merge =
        loc: definitions:
        (evalModules {
          modules = [ module ] ++ map (it: { config = it.value; }) definitions;
          specialArgs.name = last loc;
          prefix = loc;
        }).config;
    };
  };
in
types
