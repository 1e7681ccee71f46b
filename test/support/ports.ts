import { createServer } from 'node:net';

/** Ports of loopback that nobody listens on now. */
export async function freePorts(count: number): Promise<[number, number, ...number[]]> {
  const servers = Array.from({ length: Math.max(count, 2) }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number, ...number[]];
}
