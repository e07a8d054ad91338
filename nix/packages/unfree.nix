# The only unfree packages of a host, by `lib.getName`: Drone (its pname is drone.io) and its runner. A predicate for
# `nixpkgs.config.allowUnfreePredicate`; docs/drone.md says what their licence allows.
{ lib }:
package:
builtins.elem (lib.getName package) [
  "drone.io"
  "drone-runner-exec"
]
