{
  description = "Stands in for nixpkgs in npm run check:nix: a small module evaluator, and packages that are names only";

  outputs =
    { self }:
    let
      lib = import ./modules.nix;
      packages = system: import ./packages.nix { inherit system lib; };
    in
    {
      lib = lib // {
        nixosSystem = import ./system.nix;
      };
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packages;
    };
}
