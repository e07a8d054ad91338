{
  description = "cc-ci: the CI server for Co-op Cloud recipes";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    sops-nix.url = "github:Mic92/sops-nix";
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  # It only wires: packages are in nix/, what a host is in modules/, each machine in hosts/.
  outputs =
    {
      self,
      nixpkgs,
      sops-nix,
    }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = f: lib.genAttrs systems (system: f system nixpkgs.legacyPackages.${system});
      host = self.nixosConfigurations.cc-ci;
      program = package: {
        type = "app";
        program = "${package}/bin/${package.meta.mainProgram}";
      };
    in
    {
      nixosModules = {
        default = import ./modules;
        server = import ./modules/profiles/server.nix;
        runner = import ./modules/profiles/runner.nix;
      };

      nixosConfigurations.cc-ci = lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          self.nixosModules.server
          sops-nix.nixosModules.sops
          { nixpkgs.config.allowUnfreePredicate = import ./nix/packages/unfree.nix { inherit lib; }; }
          (import ./hosts/cc-ci/configuration.nix)
        ];
      };

      packages = forEachSystem (
        system: pkgs:
        builtins.removeAttrs (import ./nix/packages { inherit pkgs; }) [ "drone-runner-exec" ]
        # Unfree: nixpkgs gives it out only where it was asked with our predicate, as the host does.
        // lib.optionalAttrs (system == "x86_64-linux") {
          drone-runner-exec = host.config.services.cc-ci.drone.runner.package;
        }
      );
      devShells = forEachSystem (
        _: pkgs: {
          default = import ./nix/shell.nix { inherit pkgs; };
        }
      );
      formatter = forEachSystem (_: pkgs: pkgs.nixfmt);

      apps = forEachSystem (
        system: _:
        let
          cc-ci = program self.packages.${system}.cc-ci;
        in
        {
          inherit cc-ci;
          default = cc-ci;
        }
      );

      # Built by `nix flake check` where there is a nixpkgs; what needs none is `npm run check:nix`.
      checks = forEachSystem (
        system: _:
        builtins.removeAttrs self.packages.${system} [ "default" ]
        // lib.optionalAttrs (system == "x86_64-linux") {
          host = host.config.system.build.toplevel;
        }
      );
    };
}
