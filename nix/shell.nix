{ pkgs }:
pkgs.mkShell {
  packages = with pkgs; [
    age
    chromium
    docker-client
    git
    nixfmt
    nodejs
    openssl
    sops
    ssh-to-age
    systemd
  ];
}
