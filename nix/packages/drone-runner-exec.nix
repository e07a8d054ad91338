# Dropped from nixpkgs in July 2026 (PR 543796). The last commit there is.
{
  lib,
  buildGoModule,
  fetchFromGitHub,
}:
buildGoModule {
  pname = "drone-runner-exec";
  version = "0-unstable-2022";
  src = fetchFromGitHub {
    owner = "drone-runners";
    repo = "drone-runner-exec";
    rev = "9decf2941d423d0ee4faff892b5e8d8ab657fe36";
    hash = "sha256-dQIN0DXH9j4Qu0Q8vwHjTG/lrtThHnR2bc1UymuUACI=";
  };
  vendorHash = "sha256-Atl8jY4h7d1K4lCemX/fwiS3Nc0w56LUPy8ZrdZrqxg=";
  meta = {
    description = "Runs Drone's pipelines on a host, without containers";
    homepage = "https://github.com/drone-runners/drone-runner-exec";
    license = lib.licenses.unfreeRedistributable;
    mainProgram = "drone-runner-exec";
  };
}
