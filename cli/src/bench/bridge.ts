import { measureIdleRequests } from './bridge-idle.js';
import { measureLatency } from './bridge-latency.js';
import { measureHook } from './hook.js';
import type { Measure } from './measure.js';

/** What is promised of the bridge: how soon it hears, what it asks while nothing happens, what it bears. */
export async function measureBridge(tell: (line: string) => void): Promise<Measure[]> {
  tell('trigger latency, by polling and by webhook');
  const latency = await measureLatency();
  tell('requests to the forge while nothing happens');
  const idle = await measureIdleRequests();
  tell('a burst of webhook deliveries');
  return [...latency, ...idle, ...(await measureHook())];
}
