/** What Prometheus asks for at `/metrics`. The only prom-client. Counters come of the events, gauges of the status. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EventFields, EventName, EventStream } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { FolderStatus, RouteStatus, Status } from '../domain/status.ts';

export interface Metrics {
  readonly contentType: string;
  /** All of them as they are now, in Prometheus' text format. */
  render(): Promise<string>;
}

/** From a push on loopback to a night's backlog, in seconds. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

const FOLDER = ['route', 'folder'] as const;

/** Counts every event from now on. */
export function countEvents(stream: EventStream, status: () => Status): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  gauges(register, status);
  const count = counters(register);
  stream.subscribe((event, fields) => count(event, fields));
  return { contentType: register.contentType, render: () => register.metrics() };
}

function counters(register: Registry): (event: EventName, fields: EventFields) => void {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({
      name: `imapferry_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [register],
    });
  const messages = counter('delivered_messages_total', 'Messages carried.', FOLDER);
  const bytes = counter('delivered_bytes_total', 'Bytes of the messages carried.', FOLDER);
  const recovered = counter(
    'recovered_copies_total',
    'Copies that were at the destination already, after an interruption.',
    FOLDER,
  );
  const caught = counter(
    'sweep_caught_messages_total',
    'Messages that a sweep found and no watcher had announced.',
    FOLDER,
  );
  const failures = counter('failures_total', 'What did not work, by step and kind.', [
    ...FOLDER,
    'step',
    'kind',
  ]);
  const reconnects = counter('reconnects_total', 'Connections that ended and were begun anew.', [
    'route',
    'side',
  ]);
  const seconds = new Histogram({
    name: 'imapferry_delivery_seconds',
    help: 'From INTERNALDATE (of mail that came while imapferry ran), or from first sight, to the end of the journey.',
    labelNames: [...FOLDER, 'from'],
    buckets: BUCKETS,
    registers: [register],
  });
  return (event, fields) => {
    const { route = '', folder = '', count = 1, ms, age, side = 'source' } = fields;
    const labels = { route, folder };
    if (fields.err instanceof Failure) {
      const { step, kind } = fields.err;
      failures.inc({ ...labels, step, kind });
    } else if (event === 'delivery.refused' || event === 'delivery.unverified') {
      const step = event === 'delivery.refused' ? 'append' : 'verify';
      failures.inc({ ...labels, step, kind: 'other' });
    }
    switch (event) {
      case 'delivery.done':
        messages.inc(labels);
        bytes.inc(labels, fields.bytes ?? 0);
        if (ms !== undefined) seconds.observe({ ...labels, from: 'first-sight' }, ms / 1000);
        if (age !== undefined) seconds.observe({ ...labels, from: 'internaldate' }, age / 1000);
        break;
      case 'delivery.recovered':
        recovered.inc(labels);
        break;
      case 'sweep.caught':
        caught.inc(labels, count);
        break;
      case 'account.lost':
      case 'watcher.lost':
        reconnects.inc({ route, side });
        break;
    }
  };
}

const WATCHED = ['idle', 'rounds', 'not'] as const;

/** Asked for when somebody scrapes; all of one moment. */
function gauges(register: Registry, status: () => Status): void {
  let now: Status | undefined;
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    set: (gauge: Gauge<L>, status: Status) => void,
  ) =>
    new Gauge<L>({
      name: `imapferry_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [register],
      collect() {
        now ??= status();
        // The next scrape is of another moment.
        setImmediate(() => {
          now = undefined;
        });
        this.reset();
        set(this, now);
      },
    });
  gauge('healthy', 'Mail flows: 1, or 0.', [], (its, { healthy }) => its.set(healthy ? 1 : 0));
  gauge('troubles', 'What is wrong, by cause.', ['route', 'cause'], (its, { troubles }) => {
    for (const { route = '', cause } of troubles) its.inc({ route, cause });
  });
  gauge('info', 'Which imapferry this is.', ['version'], (its, { version }) =>
    its.set({ version }, 1),
  );
  gauge('queue_messages', 'Messages in hand.', ['route'], (its, { routes }) => {
    for (const { route, queued } of routes) its.set({ route }, queued);
  });
  gauge('watchers', 'Folders by how they are watched.', ['route', 'state'], (its, { routes }) => {
    for (const { route, folders } of routes) {
      for (const state of WATCHED) {
        const count = folders.filter(({ watched }) => watched === state).length;
        its.set({ route, state }, count);
      }
    }
  });
  gauge(
    'account_connected',
    'The account is connected: 1, or 0.',
    ['route', 'side'],
    (its, { routes }) => {
      for (const { route, accounts } of routes) {
        for (const { side, is } of accounts) its.set({ route, side }, is === 'connected' ? 1 : 0);
      }
    },
  );
  const each = (
    name: string,
    help: string,
    of: (folder: FolderStatus, route: RouteStatus) => number | undefined,
  ) =>
    gauge(name, help, FOLDER, (its, { routes }) => {
      for (const route of routes) {
        for (const folder of route.folders) {
          const value = of(folder, route);
          if (value !== undefined) its.set({ route: route.route, folder: folder.folder }, value);
        }
      }
    });
  const inSeconds = (at: number | undefined) => (at === undefined ? undefined : at / 1000);
  each(
    'waiting_messages',
    'Messages that are still to be carried.',
    ({ waiting }) => waiting.messages,
  );
  each('refused_messages', 'Messages that are set aside.', ({ refused }) => refused);
  each(
    'unverified_copies',
    'Copies that are not the same as their originals.',
    (its) => its.unverified,
  );
  each('last_success_timestamp_seconds', 'When a message was carried last.', (its) =>
    inSeconds(its.carriedAt),
  );
  each('last_sweep_timestamp_seconds', 'When the whole folder was looked through last.', (its) =>
    inSeconds(its.sweptAt),
  );
  each(
    'late_since_timestamp_seconds',
    'Since when new mail waits that nothing lasting keeps.',
    ({ waiting }) => inSeconds(waiting.late?.since),
  );
}
