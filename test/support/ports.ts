import { createServer, type Server } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (Linux: from 32768, IANA: from 49152): one of those may be taken
 * by any connection before the server that is to have it is up.
 */
const FIRST = 20_000;
const COUNT = 12_000;
/** Workers that run at the same time take from parts of their own. */
const WORKERS = 8;

const given = new Set<number>();

/** Ports of loopback that nobody listens on now, each given once. */
export async function freePorts(count: number): Promise<[number, number, ...number[]]> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
  const part = Math.floor(COUNT / WORKERS);
  const ports: number[] = [];
  while (ports.length < Math.max(count, 2)) {
    const port = FIRST + worker * part + Math.floor(Math.random() * part);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports as [number, number, ...number[]];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Has a server listen on a free port of loopback. Resolves with the port. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
