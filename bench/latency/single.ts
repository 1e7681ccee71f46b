/** One message after the other, each into a mailbox at rest: imapferry and the raw client turn by turn. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { message } from '../../test/support/mail.ts';
import { now } from '../tools/clock.ts';
import { Ferry } from '../tools/ferry.ts';
import { measureRoundTrip } from '../tools/line.ts';
import { load } from '../tools/load.ts';
import type { Mailboxes } from '../tools/mailboxes.ts';
import { dice } from '../tools/statistics.ts';
import type { Notes } from '../wire/trace.ts';
import type { Strand, Wires } from '../wire/wires.ts';

/** Of one message, in milliseconds. */
export interface Arrival {
  /** From the APPEND at the source answered to EXISTS said by the source: the server's own. */
  readonly announced: number;
  /** From EXISTS said by the source to the APPEND answered by the destination, both at the servers' ends of the wires. */
  readonly across: number;
}

export interface Singles {
  readonly roundTrip: number;
  readonly imapferry: readonly Arrival[];
  readonly raw: readonly Arrival[];
}

export interface Servers {
  readonly wires: Wires;
  readonly source: Mailboxes;
  readonly destination: Mailboxes;
}

/** What is measured: a program that runs, and mail given to it one by one. */
interface Runner extends AsyncDisposable {
  readonly user: string;
  readonly wire: { readonly source: Strand; readonly destination: Strand };
  /** Resolves when so many messages are through. */
  through(count: number): Promise<void>;
}

interface Sent {
  readonly id: string;
  /** When storing it at the source began and had ended. EXISTS may be said in between. */
  readonly began: number;
  readonly stored: number;
}

const SIZE = 8 * 1024;
const PATIENCE = 60_000;
/** What a program needs to rest again after a message, at least and at most, so that Dovecot's rhythm is met anywhere. */
const [SHORTEST, LONGEST] = [300, 900];

/** Measures `count` messages each. */
export async function singles(
  servers: Servers,
  roundTrip: number,
  count: number,
): Promise<Singles> {
  await using imapferry = await ferryRunner(servers, roundTrip);
  await using raw = await rawRunner(servers, roundTrip);
  const runners = [imapferry, raw];
  const sent = new Map<Runner, Sent[]>(runners.map((runner) => [runner, []]));
  const roll = dice(3);
  // The first message of each is a warming-up that does not count.
  for (let i = 0; i <= count; i++) {
    for (const runner of runners) {
      await wait(SHORTEST + roll() * (LONGEST - SHORTEST));
      const id = `${i}.${runner.user}.single@example.org`;
      const began = now();
      await load(servers.source.login(runner.user), 'INBOX', [
        message({ id: `<${id}>`, size: SIZE }),
      ]);
      if (i > 0) sent.get(runner)?.push({ id, began, stored: now() });
      await runner.through(i + 1);
    }
  }
  const arrivals = async (runner: Runner) => {
    const { wire } = runner;
    return matched(sent.get(runner) ?? [], await wire.source.take(), await wire.destination.take());
  };
  return {
    roundTrip: await measureRoundTrip(imapferry.wire.source, servers.source),
    imapferry: await arrivals(imapferry),
    raw: await arrivals(raw),
  };
}

function matched(sent: readonly Sent[], source: Notes, destination: Notes): Arrival[] {
  const stored = storedAt(destination);
  return sent.map(({ id, began, stored: at }) => {
    const exists = source.exists.find(({ said }) => said >= began)?.said ?? Number.NaN;
    return { announced: exists - at, across: (stored.get(id) ?? Number.NaN) - exists };
  });
}

/** When the destination had stored each message, by Message-ID. */
export function storedAt({ commands }: Notes): Map<string, number> {
  return new Map(
    commands
      .filter(({ name, ok }) => name === 'APPEND' && ok)
      .flatMap(({ ids, said }) => ids.map((id) => [id, said] as const)),
  );
}

/** A wire to each side. */
export async function wired(
  { wires, source, destination }: Servers,
  roundTrip: number,
): Promise<{ source: Strand; destination: Strand }> {
  return {
    source: await wires.open(source.dovecot.port, roundTrip),
    destination: await wires.open(destination.dovecot.port, roundTrip),
  };
}

async function ferryRunner(servers: Servers, roundTrip: number): Promise<Runner> {
  const { source, destination } = servers;
  const user = source.fresh();
  const wire = await wired(servers, roundTrip);
  const ferry = Ferry.run({
    source: source.side(user, wire.source),
    destination: destination.side(destination.fresh(), wire.destination),
  });
  const { program } = ferry;
  await program.saw('route.ready');
  return {
    user,
    wire,
    through: (count) => program.saw('delivery.done', count),
    async [Symbol.asyncDispose]() {
      await ferry[Symbol.asyncDispose]();
      await Promise.all([wire.source.close(), wire.destination.close()]);
    },
  };
}

async function rawRunner(servers: Servers, roundTrip: number): Promise<Runner> {
  const { source, destination } = servers;
  const user = source.fresh();
  const wire = await wired(servers, roundTrip);
  const login = ({ port, ca }: Strand, name: string) => ({
    port,
    ca,
    user: name,
    password: source.password,
  });
  const task = {
    source: login(wire.source, user),
    destination: login(wire.destination, destination.fresh()),
  };
  const entry = fileURLToPath(new URL('raw-client.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let lines = 0;
  let told = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', () => {
    lines++;
    told.resolve();
    told = Promise.withResolvers();
  });
  return {
    user,
    wire,
    async through(count) {
      const late = AbortSignal.timeout(PATIENCE);
      while (lines < count) {
        late.throwIfAborted();
        await Promise.race([told.promise, wait(1000)]);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await Promise.all([wire.source.close(), wire.destination.close()]);
    },
  };
}
