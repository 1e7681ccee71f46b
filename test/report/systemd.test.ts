import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type EventName, eventStream } from '../../src/domain/events.ts';
import { systemd } from '../../src/report/systemd.ts';
import { notifySocket, SYSTEMD_NOTIFY } from '../support/notify-socket.ts';

function listened() {
  const stream = eventStream();
  const events: [EventName, string | undefined][] = [];
  stream.subscribe((event, { why }) => events.push([event, why]));
  return { emit: stream.emit, events };
}

const PROGRAMS: [string, string | undefined][] = [
  ['a program in its place', undefined],
  ...(SYSTEMD_NOTIFY ? [['systemd-notify itself', SYSTEMD_NOTIFY] as [string, string]] : []),
];

describe.each(PROGRAMS)('systemd hears by %s', (_, path) => {
  it('that imapferry is ready, how it is, that it lives, and that it stops, in this order', async () => {
    await using socket = await notifySocket();
    const { emit, events } = listened();
    const its = systemd({ socket: socket.socket, path: path ?? socket.path, watchdog: 600 }, emit);
    its.status('connects');
    its.ready();
    its.status('connects');
    its.status(`mail\nflows ${'on '.repeat(200)}`);
    await socket.until('lives', (told) => told.filter((each) => each === 'WATCHDOG=1').length > 1);
    its.stopping();
    await socket.until('stops', (told) => told.some((each) => each.startsWith('STOPPING=1')));
    const { length } = socket.told;
    await wait(700);
    const [connects, ready, flows, ...rest] = socket.told;
    expect([connects, ready]).toEqual(['STATUS=connects', 'READY=1']);
    expect(flows).toMatch(/^STATUS=mail flows on on .*$/);
    expect(flows?.length).toBeLessThan(250);
    expect(rest.slice(0, -1)).toEqual(Array(rest.length - 1).fill('WATCHDOG=1'));
    expect(rest.at(-1)).toBe('STOPPING=1|STATUS=stops in order');
    expect(socket.told).toHaveLength(length);
    expect(events).toEqual([]);
  });
});

describe('systemd', () => {
  it('is not told where it did not start imapferry', async () => {
    const { emit, events } = listened();
    const its = systemd(undefined, emit);
    its.ready();
    its.status('well');
    its.stopping();
    await wait(50);
    expect(events).toEqual([]);
  });

  it('does not hear of a process that hangs', async () => {
    await using socket = await notifySocket();
    const { socket: name, path } = socket;
    const its = systemd({ socket: name, path, watchdog: 200 }, listened().emit);
    its.ready();
    await socket.until('lives', (told) => told.includes('WATCHDOG=1'));
    const before = socket.told.length;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(socket.told.length).toBe(before);
    its.stopping();
  });

  it.each<[string, string, string, RegExp]>([
    ['the program is missing', '/nowhere', '/nowhere/socket', /was not found; without it use/],
    ['nobody listens', '', '/nowhere/socket', /systemd-notify failed/],
  ])('is told of once, and never in the way, where %s', async (_, path, name, why) => {
    await using socket = await notifySocket();
    const { emit, events } = listened();
    const its = systemd({ socket: name, path: path || socket.path, watchdog: 100 }, emit);
    its.ready();
    its.status('well');
    await wait(600);
    its.stopping();
    expect(events).toEqual([['systemd.unreached', expect.stringMatching(why)]]);
  });
});
