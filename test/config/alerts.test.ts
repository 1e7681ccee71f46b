import { describe, expect, test } from 'vitest';
import { load, mistakesOf, rejection } from './support.ts';

const HOUR = 3_600_000;

describe('alerts', () => {
  test('are off unless ALERT_AFTER says otherwise', () => {
    expect(load().alerts).toBeUndefined();
    expect(load({ ALERT_AFTER: 'off' }).alerts).toBeUndefined();
    expect(load({ ALERT_AFTER: '1h' }).alerts).toEqual({ after: HOUR });
  });

  test('run a command of several words, without a shell', () => {
    const command = `env -i '/bin/my program' "to: mum" $HOME`;
    const { alerts, doubts } = load({
      PATH: process.env.PATH,
      ALERT_AFTER: '1h30m',
      ALERT_COMMAND: command,
    });
    expect(alerts?.after).toBe(1.5 * HOUR);
    expect(alerts?.command?.words).toEqual(['env', '-i', '/bin/my program', 'to: mum', '$HOME']);
    expect(doubts).toEqual([]);
  });

  test('give the command what other programs need, and no password of a mailbox', () => {
    const { PATH } = process.env;
    const { alerts } = load({
      PATH,
      HOME: '/home/mum',
      TOPIC_TOKEN: 'for the command',
      MUM_DEST_PASSWORD: 'secret',
      NOTIFY_SOCKET: '/run/socket',
      WATCHDOG_USEC: '1000000',
      ALERT_AFTER: '1h',
      ALERT_COMMAND: 'env',
      ROUTES: 'mum',
    });
    const environment = { PATH, HOME: '/home/mum', TOPIC_TOKEN: 'for the command' };
    expect(alerts?.command?.environment).toEqual(environment);
  });

  test('with a command and no ALERT_AFTER are doubted', () => {
    const { alerts, doubts } = load({ PATH: process.env.PATH, ALERT_COMMAND: 'env' });
    expect(alerts).toBeUndefined();
    expect(doubts).toEqual([
      'ALERT_COMMAND has no effect, because ALERT_AFTER is off: set ALERT_AFTER=1h to be told of trouble that lasts an hour.',
    ]);
  });
});

describe('the heartbeat', () => {
  test('has a URL, whatever is in it', () => {
    expect(load().heartbeatUrl).toBeUndefined();
    const url = 'http://mum:pa%20ss@uptime.example.org:3001/api/push/x?status=up&msg=OK&ping=';
    expect(load({ HEARTBEAT_URL: url }).heartbeatUrl?.href).toBe(url);
  });

  test('that can not be used is told with an example, and not shown', () => {
    const env = { HEARTBEAT_URL: 'htp://example.org/a-secret-token' };
    expect(mistakesOf(env)).toHaveLength(1);
    const { message } = rejection(() => load(env));
    expect(message).toContain('Example: HEARTBEAT_URL=https://heartbeat.example.org/ping/…');
    expect(message).not.toContain('secret');
  });
});

describe('systemd', () => {
  const socket = '/run/systemd/notify';

  test.each<[string, Record<string, string>, object | undefined]>([
    ['is not there by itself', {}, undefined],
    ['wants to hear', { NOTIFY_SOCKET: socket }, { socket, path: '/bin' }],
    [
      'watches',
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '120000000' },
      { socket, path: '/bin', watchdog: 120_000 },
    ],
    [
      'watches this process',
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '500000', WATCHDOG_PID: `${process.pid}` },
      { socket, path: '/bin', watchdog: 500 },
    ],
    [
      'watches another process',
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '500000', WATCHDOG_PID: '1' },
      { socket, path: '/bin' },
    ],
    [
      'says something odd',
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: 'soon' },
      { socket, path: '/bin' },
    ],
  ])('%s', (_, env, supervisor) => {
    expect(load({ PATH: '/bin', ...env }).supervisor).toEqual(supervisor);
  });
});
