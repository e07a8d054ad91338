# A small evaluator of NixOS modules: imports, options with types, mkIf, mkMerge, priorities. It is our idea of NixOS's,
# written to be read; docs/nixos.md says what that proves and what not.
let
  inherit (builtins)
    attrNames
    concatMap
    concatStringsSep
    filter
    foldl'
    isAttrs
    isFunction
    isPath
    length
    mapAttrs
    ;
  isType = type: value: isAttrs value && (value._type or null) == type;
  fail = loc: why: throw "The option `${concatStringsSep "." loc}' ${why}.";

  properties = rec {
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkOptionDefault = mkOverride 1500;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
  };
  inherit (properties) mkIf mkOverride mkOptionDefault;

  # mkIf around a set is mkIf around each of its values. The condition is not looked at: it may depend on the very
  # configuration that is being made.
  pushDown =
    value:
    if isType "merge" value then
      concatMap pushDown value.contents
    else if isType "if" value then
      map (mapAttrs (_: mkIf value.condition)) (pushDown value.content)
    else if isType "override" value then
      map (mapAttrs (_: mkOverride value.priority)) (pushDown value.content)
    else
      [ value ];

  # The definitions that hold, each with its priority (the lowest number wins).
  dischargeOne =
    priority:
    { file, value }:
    let
      again = next: value: dischargeOne next { inherit file value; };
    in
    if isType "merge" value then
      concatMap (again priority) value.contents
    else if isType "if" value then
      if !builtins.isBool value.condition then
        throw "mkIf in ${file} was given a condition that is not a boolean."
      else if value.condition then
        again priority value.content
      else
        [ ]
    else if isType "override" value then
      again value.priority value.content
    else
      [ { inherit file value priority; } ];
  discharge = concatMap (dischargeOne 100);

  mergeDefinitions = {
    inherit discharge;
    __functor =
      _: loc: type: definitions:
      let
        all = discharge definitions;
        best = foldl' (least: it: if it.priority < least then it.priority else least) 9999 all;
        winning = filter (it: it.priority == best) all;
        wrong = filter (it: !type.check it.value) winning;
        shown = value: if isFunction value then "a function" else builtins.typeOf value;
      in
      if all == [ ] then
        fail loc "is used but not defined"
      else if wrong != [ ] then
        fail loc "is defined in ${(builtins.head wrong).file} as ${
          shown (builtins.head wrong).value
        } and is not of type `${type.description}'"
      else
        type.merge loc winning;
  };

  evalOption =
    loc: option: definitions:
    let
      default =
        if option ? default then
          [
            {
              file = "the default";
              value = mkOptionDefault option.default;
            }
          ]
        else
          [ ];
      given = discharge definitions;
      value = mergeDefinitions loc option.type (definitions ++ default);
    in
    if (option.readOnly or false) && length (given ++ default) > 1 then
      fail loc "is read-only, but it is set more than once"
    else
      (option.apply or (x: x)) value;

  # Modules with what they import, each file once.
  collect =
    args: seen: modules:
    foldl' (
      state: module:
      let
        key = if isPath module then toString module else null;
        file = if key == null then "an inline module" else key;
        raw = if isPath module then import module else module;
        value = if isFunction raw then raw args else raw;
        structured = value ? config || value ? options;
        meta = [
          "imports"
          "_file"
        ];
        stray = filter (
          name:
          !builtins.elem name (
            meta
            ++ [
              "options"
              "config"
            ]
          )
        ) (attrNames value);
        own = {
          inherit file;
          options = value.options or { };
          config =
            if structured then value.config or { } else builtins.removeAttrs value meta;
        };
        imported = collect args (state.seen ++ [ key ]) (value.imports or [ ]);
      in
      if key != null && builtins.elem key state.seen then
        state
      else if structured && stray != [ ] then
        throw "${file} has `config' or `options', and beside it `${builtins.head stray}'."
      else
        {
          inherit (imported) seen;
          found = state.found ++ [ own ] ++ imported.found;
        }
    ) { inherit seen; found = [ ]; } modules;

  mergeOptions =
    loc: a: b:
    a
    // mapAttrs (
      name: value:
      let
        here = loc ++ [ name ];
      in
      if !(a ? ${name}) then
        value
      else if isType "option" value || isType "option" a.${name} then
        fail here "is declared twice"
      else
        mergeOptions here a.${name} value
    ) b;

  below =
    name: definitions:
    concatMap (
      it:
      concatMap (
        value:
        if value ? ${name} then
          [
            {
              inherit (it) file;
              value = value.${name};
            }
          ]
        else
          [ ]
      ) (pushDown it.value)
    ) definitions;

  evalTree =
    loc: options: definitions:
    mapAttrs (
      name: option:
      (if isType "option" option then evalOption else evalTree) (loc ++ [ name ]) option (
        below name definitions
      )
    ) options;

  # Definitions of what is no option, also where a condition around them is false: NixOS refuses them as well.
  unknown =
    loc: options: definitions:
    concatMap (
      it:
      concatMap (
        value:
        concatMap (
          name:
          let
            here = loc ++ [ name ];
          in
          if !(options ? ${name}) then
            [ "The option `${concatStringsSep "." here}' does not exist. It is set in ${it.file}." ]
          else if isType "option" options.${name} then
            [ ]
          else
            unknown here options.${name} [
              {
                inherit (it) file;
                value = value.${name};
              }
            ]
        ) (attrNames value)
      ) (pushDown it.value)
    ) definitions;

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      args = specialArgs // {
        inherit config options lib;
      };
      found = (collect args [ ] modules).found;
      options = foldl' (mergeOptions prefix) { } (map (it: it.options) found);
      definitions = map (it: {
        inherit (it) file;
        value = it.config;
      }) found;
      config = evalTree prefix options definitions;
      strays = unknown prefix options definitions;
    in
    {
      inherit options;
      config = if strays == [ ] then config else throw (concatStringsSep "\n" strays);
    };

  lib = import ./lib.nix {
    inherit properties evalModules;
    types = import ./types.nix {
      inherit
        mergeDefinitions
        pushDown
        evalModules
        fail
        ;
    };
  };
in
lib
