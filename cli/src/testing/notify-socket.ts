import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What systemd listens at, as far as messages go: a real datagram socket of the file system. */
export interface NotifySocket {
  path: string;
  /** The messages so far, in order. */
  messages: readonly string[];
  /** Resolves once as many messages of this text have come. */
  heard(message: string, times?: number): Promise<void>;
  close(): Promise<void>;
}

/** Node has no such sockets, so Python listens. It closes what `systemd-notify` passes to be told that it was heard. */
const LISTEN = `
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("ready", flush=True)
while True:
    data, passed, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(64))
    for level, kind, content in passed:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors = array.array("i")
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
            for descriptor in descriptors: os.close(descriptor)
    for line in data.decode().splitlines(): print(line, flush=True)
`;

export async function openNotifySocket(): Promise<NotifySocket> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-notify-'));
  const path = join(dir, 'socket');
  const messages: string[] = [];
  const waiting = new Set<() => void>();
  const listener: ChildProcess = spawn('python3', ['-c', LISTEN, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  const ready = new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'ready') resolve();
        // systemd-notify's own question whether what it said was heard.
        else if (line !== 'BARRIER=1') messages.push(line);
      }
      for (const look of waiting) look();
    });
  });
  await ready;
  return {
    path,
    messages,
    heard: (message, times = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if (messages.filter((it) => it === message).length < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async close() {
      listener.kill('SIGKILL');
      await once(listener, 'close');
      await rm(dir, { recursive: true });
    },
  };
}
