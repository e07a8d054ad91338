# What nixpkgs lacks. A function of nixpkgs alone, so that the modules bring their packages with them wherever they are
# imported from.
{ pkgs }:
rec {
  cc-ci = pkgs.callPackage ./cc-ci.nix { };
  abra = pkgs.callPackage ./abra.nix { };
  drone-runner-exec = pkgs.callPackage ./drone-runner-exec.nix { };
  default = cc-ci;
}
