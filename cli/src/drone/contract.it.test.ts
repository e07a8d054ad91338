import { engineContract } from '@cc-ci/engine/testing';
import { startDroneRig } from './drone-rig.js';

engineContract('DroneEngine on the stand-in', async () => {
  const rig = await startDroneRig();
  return {
    engine: rig.engine,
    capacity: 2,
    folder: rig.dir,
    reopen: (change) => rig.restartEngine(change),
    // Drone shows each command before it runs it.
    linesBefore: 1,
    dispose: () => rig.dispose(),
  };
});
