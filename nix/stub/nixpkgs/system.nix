# `lib.nixosSystem`.
{ modules, system }:
let
  lib = import ./modules.nix;
  result = lib.evalModules {
    modules = [ (import ./nixos.nix) ] ++ modules;
    specialArgs.pkgs = import ./packages.nix {
      inherit system lib;
      allowUnfree = result.config.nixpkgs.config.allowUnfreePredicate or (_: false);
    };
  };
in
result // { inherit lib; }
