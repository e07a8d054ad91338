{
  lib,
  buildNpmPackage,
  importNpmLock,
  makeWrapper,
  nodejs,
  python3,
  # What every `cc-ci` needs (sops: `cc-ci secrets`); abra, Docker and a browser are given by settings and units.
  git,
  openssl,
  sops,
}:
let
  inherit (import ./source.nix) manifest src;
  lock = builtins.fromJSON (builtins.readFile ../../package-lock.json);
  isLink = entry: entry.link or false;
in
buildNpmPackage {
  pname = "cc-ci";
  inherit (manifest) version;
  inherit src nodejs;

  # Dependencies by the hashes of package-lock.json: there is no further hash to keep in step with it. importNpmLock takes
  # the lock's links to our own rooms for packages to copy; without them npm makes the links itself.
  npmDeps = importNpmLock {
    package = manifest;
    packageLock = lock // {
      packages = lib.filterAttrs (_: entry: !isLink entry) lock.packages;
    };
  };
  inherit (importNpmLock) npmConfigHook;

  # python3: node-gyp, for SQLite's binding.
  nativeBuildInputs = [
    makeWrapper
    python3
  ];

  # `npm pack`, which buildNpmPackage would install by, does not know workspaces.
  installPhase = ''
    runHook preInstall
    mv .package.json.orig package.json
    mkdir -p $out/lib/cc-ci $out/bin
    cp -a package.json node_modules tests ${lib.escapeShellArgs manifest.workspaces} $out/lib/cc-ci/
    makeWrapper ${nodejs}/bin/node $out/bin/cc-ci \
      --add-flags --max-semi-space-size=4 \
      --add-flags --v8-pool-size=1 \
      --add-flags $out/lib/cc-ci/cli/bin/cc-ci.js \
      --suffix PATH : ${
        lib.makeBinPath [
          git
          openssl
          sops
        ]
      }
    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    $out/bin/cc-ci config > /dev/null
  '';

  meta = {
    inherit (manifest) description;
    license = lib.licenses.gpl3Plus;
    mainProgram = "cc-ci";
    platforms = lib.platforms.linux;
  };
}
