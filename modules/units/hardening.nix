# What our services may not do, by what they need. MemoryDenyWriteExecute is nowhere: Node compiles to memory.
let
  base = {
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    ProtectHome = true;
    ProtectClock = true;
    ProtectHostname = true;
    ProtectControlGroups = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    PrivateTmp = true;
    PrivateDevices = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    RemoveIPC = true;
    CapabilityBoundingSet = "";
    SystemCallArchitectures = "native";
    UMask = "0027";
  };
in
{
  # Network and files only: no Docker, no browser.
  closed = base // {
    PrivateUsers = true;
    ProtectProc = "invisible";
    RestrictNamespaces = true;
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_INET"
      "AF_INET6"
    ];
    SystemCallFilter = [
      "@system-service"
      "~@privileged"
    ];
    SystemCallErrorNumber = "EPERM";
  };

  # Runs: Docker's socket, and a browser, which makes namespaces and asks the kernel for its interfaces. Who reaches
  # that socket is as good as root; this keeps accidents out, not attackers.
  docker = base // {
    SupplementaryGroups = [ "docker" ];
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
    ];
  };

  # The reconcilers are root: the operator's certificate and what only the host can make are root's. They need none of
  # root's other powers.
  root = base // {
    ProtectProc = "invisible";
    RestrictNamespaces = true;
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_INET"
      "AF_INET6"
    ];
    SystemCallFilter = [ "@system-service" ];
    SystemCallErrorNumber = "EPERM";
  };
}
