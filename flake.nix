{
  description = "cc-ci: the CI server for Co-op Cloud recipes";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    sops-nix.url = "github:Mic92/sops-nix";
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  # Thin on purpose: the development shell is all there is. The host (modules, packages, nixosConfigurations) comes
  # with its own work, see BACKLOG.md.
  outputs =
    { nixpkgs, ... }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in
    {
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = with pkgs; [
            nodejs
            git
            openssl
            docker-client
            chromium
            sops
            age
          ];
        };
      });
    };
}
