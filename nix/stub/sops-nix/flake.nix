{
  description = "Stands in for sops-nix in npm run check:nix: the options of it that we set";
  outputs = { ... }: { nixosModules.sops = import ./module.nix; };
}
