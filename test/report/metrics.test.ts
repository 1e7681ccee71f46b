/** What is counted, and what Prometheus reads of it. */
import { expect, it } from 'vitest';
import { eventStream } from '../../src/domain/events.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Status } from '../../src/domain/status.ts';
import { countEvents } from '../../src/report/metrics.ts';

const STATUS: Status = {
  version: '1.2.3',
  startedAt: 1_000,
  at: 9_000,
  healthy: false,
  troubles: [
    {
      ...{ cause: 'account-refused', route: 'mum', side: 'source', since: 5_000 },
      ...{ says: 'No.', help: 'Look.', unhealthy: true },
    },
  ],
  routes: [
    {
      ...{ route: 'mum', dryRun: false, sweepInterval: 600_000, ready: true, queued: 3 },
      accounts: [
        { side: 'source', is: 'refused', since: 5_000 },
        { side: 'destination', is: 'connected', since: 5_000 },
      ],
      folders: [
        {
          ...{ folder: 'Gelöscht "1"', dest: 'Trash', watched: 'idle', since: 2_000 },
          ...{ sweptAt: 4_000, carriedAt: 3_500, refused: 2, unverified: 1 },
          waiting: { messages: 4, late: { uid: 9, since: 6_000 } },
        },
        {
          ...{ folder: 'Lists', dest: 'Lists', watched: 'rounds', since: 2_000 },
          ...{ refused: 0, unverified: 0, waiting: { messages: 0 } },
        },
      ],
    },
  ],
};

/** What is rendered after these events: the value by name and labels. */
async function rendered(tell: (emit: ReturnType<typeof eventStream>['emit']) => void) {
  const stream = eventStream();
  const metrics = countEvents(stream, () => STATUS);
  tell(stream.emit);
  const text = await metrics.render();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))] as const;
    }),
  );
}

it('counts what is carried, and how long it took', async () => {
  const of = { route: 'mum', folder: 'INBOX' };
  const values = await rendered((emit) => {
    emit('delivery.done', { ...of, uid: 1, bytes: 1000, ms: 300, age: 1300 });
    emit('delivery.done', { ...of, uid: 2, bytes: 500, ms: 8000 });
    emit('delivery.recovered', { ...of, uid: 2 });
    emit('sweep.caught', { ...of, count: 3 });
  });
  const labels = 'route="mum",folder="INBOX"';
  expect(values.get(`imapferry_delivered_messages_total{${labels}}`)).toBe(2);
  expect(values.get(`imapferry_delivered_bytes_total{${labels}}`)).toBe(1500);
  expect(values.get(`imapferry_recovered_copies_total{${labels}}`)).toBe(1);
  expect(values.get(`imapferry_sweep_caught_messages_total{${labels}}`)).toBe(3);
  const bucket = (le: number, from: string) =>
    values.get(`imapferry_delivery_seconds_bucket{le="${le}",${labels},from="${from}"}`);
  expect(bucket(0.25, 'first-sight')).toBe(0);
  expect(bucket(0.5, 'first-sight')).toBe(1);
  expect(bucket(10, 'first-sight')).toBe(2);
  expect(bucket(1, 'internaldate')).toBe(0);
  expect(bucket(2.5, 'internaldate')).toBe(1);
});

it('counts what does not work, by step and kind', async () => {
  const values = await rendered((emit) => {
    const err = new Failure('full', { step: 'append', scope: 'account', kind: 'full' });
    emit('delivery.postponed', { route: 'mum', folder: 'INBOX', err });
    emit('delivery.refused', { route: 'mum', folder: 'INBOX', uid: 7, why: 'too large' });
    emit('delivery.unverified', { route: 'mum', folder: 'INBOX', uid: 8 });
    emit('watcher.lost', { route: 'mum', folder: 'INBOX', side: 'source' });
    emit('account.lost', { route: 'mum', side: 'destination' });
    emit('delivery.retried', { route: 'mum', folder: 'INBOX', err: new Error('no Failure') });
  });
  const failures = (step: string, kind: string) =>
    values.get(
      `imapferry_failures_total{route="mum",folder="INBOX",step="${step}",kind="${kind}"}`,
    );
  expect(failures('append', 'full')).toBe(1);
  expect(failures('append', 'other')).toBe(1);
  expect(failures('verify', 'other')).toBe(1);
  expect(values.get('imapferry_reconnects_total{route="mum",side="source"}')).toBe(1);
  expect(values.get('imapferry_reconnects_total{route="mum",side="destination"}')).toBe(1);
});

it('tells how everything stands when it is asked', async () => {
  const values = await rendered(() => undefined);
  const folder = String.raw`route="mum",folder="Gelöscht \"1\""`;
  expect(Object.fromEntries([...values].filter(([name]) => name.startsWith('imapferry_')))).toEqual(
    {
      imapferry_healthy: 0,
      'imapferry_troubles{route="mum",cause="account-refused"}': 1,
      'imapferry_info{version="1.2.3"}': 1,
      'imapferry_queue_messages{route="mum"}': 3,
      'imapferry_watchers{route="mum",state="idle"}': 1,
      'imapferry_watchers{route="mum",state="rounds"}': 1,
      'imapferry_watchers{route="mum",state="not"}': 0,
      'imapferry_account_connected{route="mum",side="source"}': 0,
      'imapferry_account_connected{route="mum",side="destination"}': 1,
      [`imapferry_waiting_messages{${folder}}`]: 4,
      [`imapferry_refused_messages{${folder}}`]: 2,
      [`imapferry_unverified_copies{${folder}}`]: 1,
      [`imapferry_last_success_timestamp_seconds{${folder}}`]: 3.5,
      [`imapferry_last_sweep_timestamp_seconds{${folder}}`]: 4,
      [`imapferry_late_since_timestamp_seconds{${folder}}`]: 6,
      'imapferry_waiting_messages{route="mum",folder="Lists"}': 0,
      'imapferry_refused_messages{route="mum",folder="Lists"}': 0,
      'imapferry_unverified_copies{route="mum",folder="Lists"}': 0,
    },
  );
});

it('tells of the process, too', async () => {
  const values = await rendered(() => undefined);
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

it('does not name a folder any more that is gone', async () => {
  let status = STATUS;
  const metrics = countEvents(eventStream(), () => status);
  expect(await metrics.render()).toContain('folder="Lists"');
  await new Promise(setImmediate);
  const [route] = STATUS.routes;
  if (route) status = { ...STATUS, routes: [{ ...route, folders: route.folders.slice(0, 1) }] };
  expect(await metrics.render()).not.toContain('folder="Lists"');
});
