# Not in nixpkgs: its PR 441439 is open, and the hash is from there.
{
  lib,
  buildGoModule,
  fetchFromGitea,
}:
buildGoModule rec {
  pname = "abra";
  version = "0.11.0-beta";
  src = fetchFromGitea {
    domain = "git.coopcloud.tech";
    owner = "toolshed";
    repo = "abra";
    rev = version;
    hash = "sha256-m0x5uC6E5p3Yj/oFw37s1e0biaF8Qh3hP4d9jew8mlA=";
  };
  # Its dependencies are in its repository.
  vendorHash = null;
  subPackages = [ "cmd/abra" ];
  ldflags = [
    "-s"
    "-w"
    "-X main.Version=${version}"
  ];
  # They want a network.
  doCheck = false;
  meta = {
    description = "Deploys Co-op Cloud recipes";
    homepage = "https://docs.coopcloud.tech/abra";
    license = lib.licenses.gpl3Plus;
    mainProgram = "abra";
  };
}
