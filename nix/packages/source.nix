# What cc-ci is built from: its rooms, and the files at the root that npm and tsc read. Documentation and Nix files are
# left out, so that a change of them rebuilds nothing.
let
  root = ../..;
  manifest = builtins.fromJSON (builtins.readFile ../../package.json);
  wanted = manifest.workspaces ++ [
    "package.json"
    "package-lock.json"
    "tests"
    "tsconfig.json"
    "tsconfig.base.json"
  ];
  made = [
    "dist"
    "node_modules"
  ];
  prefix = builtins.stringLength (toString root) + 1;
  partsOf =
    path:
    builtins.filter builtins.isString (
      builtins.split "/" (builtins.substring prefix (builtins.stringLength path) path)
    );
in
{
  inherit manifest;
  src = builtins.path {
    name = "cc-ci-source";
    path = root;
    filter =
      path: _:
      let
        parts = partsOf path;
      in
      builtins.elem (builtins.head parts) wanted && !builtins.any (part: builtins.elem part made) parts;
  };
}
