# Packages that are names only: derivations whose evaluation forces what ours are made of, and that nobody builds.
# Unfree ones are refused unless the predicate allows them, as nixpkgs does.
{
  system,
  lib,
  allowUnfree ? _: false,
}:
let
  derive =
    attrs:
    let
      made = builtins.derivation {
        name = attrs.pname or attrs.name;
        inherit system;
        builder = "/bin/sh";
        all = builtins.toJSON (builtins.removeAttrs attrs [ "meta" ]);
      };
      package = made // attrs // { inherit (made) outPath drvPath; };
    in
    if (attrs.meta.license.free or true) || allowUnfree package then
      package
    else
      throw "Package ‘${attrs.pname}’ has an unfree license, refusing to evaluate.";
  named = name: derive { pname = name; };
  packages =
    lib.genAttrs [
      "age"
      "bash"
      "chromium"
      "coreutils"
      "docker"
      "docker-client"
      "git"
      "gnutar"
      "gzip"
      "makeWrapper"
      "nixfmt"
      "nodejs"
      "openssl"
      "python3"
      "sops"
      "ssh-to-age"
      "systemd"
    ] named
    // {
      inherit lib;
      drone = derive {
        pname = "drone.io";
        meta.license = lib.licenses.unfreeRedistributable;
      };
      drone-oss = named "drone-oss";
      mkShell = attrs: derive ({ pname = "shell"; } // attrs);
      buildNpmPackage = derive;
      buildGoModule = attrs: derive (if builtins.isFunction attrs then attrs attrs else attrs);
      fetchFromGitHub = attrs: derive ({ pname = "source"; } // attrs);
      fetchFromGitea = attrs: derive ({ pname = "source"; } // attrs);
      importNpmLock = {
        __functor = _: attrs: derive ({ pname = "npm-deps"; } // attrs);
        npmConfigHook = named "npm-config-hook";
      };
      callPackage =
        file: overrides:
        let
          f = import file;
        in
        f (builtins.intersectAttrs (builtins.functionArgs f) packages // overrides);
    };
in
packages
