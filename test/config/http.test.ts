import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { folderWith, load, mistakesOf } from './support.ts';

const ON = { HTTP_PORT: '8025' };
const OPEN = expect.stringContaining('HTTP_HOST is not this machine alone');

describe('the settings of the status page', () => {
  test('there is none unless a port is set', () => {
    expect(load().http).toBeUndefined();
    expect(load({ HTTP_PORT: '0' }).http).toBeUndefined();
  });

  test('with a port it is served on this machine alone, without a password', () => {
    const { http, doubts } = load(ON);
    expect(http).toEqual({ port: 8025, host: '127.0.0.1' });
    expect(doubts).toEqual([]);
  });

  test.each(['127.0.0.2', '::1', 'localhost'])('%s is this machine alone', (host) => {
    expect(load({ ...ON, HTTP_HOST: host }).doubts).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '192.0.2.7', 'ferry.example.org'])(
    '%s without a password is a doubt, with one it is none',
    (host) => {
      const open = { ...ON, HTTP_HOST: host };
      expect(load(open).doubts).toEqual([OPEN]);
      expect(load({ ...open, HTTP_PASSWORD: 'secret' }).doubts).toEqual([]);
    },
  );

  test('a password file is read again each time', () => {
    const path = folderWith({ p: 'old\n' })('p');
    const { http, doubts } = load({ ...ON, HTTP_PASSWORD_FILE: path });
    expect(doubts).toEqual([]);
    expect(http?.password?.()).toBe('old');
    writeFileSync(path, 'new\n');
    expect(http?.password?.()).toBe('new');
    rmSync(path);
    expect(() => http?.password?.()).toThrow('HTTP_PASSWORD_FILE names a file that does not exist');
  });

  test('a password may begin and end with white space, and is said to', () => {
    const { http, doubts } = load({ ...ON, HTTP_PASSWORD: ' secret' });
    expect(http?.password?.()).toBe(' secret');
    expect(doubts).toEqual(['HTTP_PASSWORD begins or ends with white space.']);
  });

  test('a password that a .env file cuts is a doubt', () => {
    const file = folderWith({ '.env': 'HTTP_PASSWORD=ab#cd\n' })('.env');
    expect(load(ON, [file]).doubts).toEqual([
      expect.stringContaining('HTTP_PASSWORD looks cut: in a .env file `#` begins a comment'),
    ]);
  });

  test('a password without a port has no effect, and that is a doubt', () => {
    expect(load({ HTTP_PASSWORD: 'secret' }).doubts).toEqual([
      'HTTP_PASSWORD has no effect, because HTTP_PORT is 0: there is no status page. Set HTTP_PORT=8025 to have one.',
    ]);
  });

  test('the password and its file exclude each other', () => {
    expect(mistakesOf({ ...ON, HTTP_PASSWORD: 'x', HTTP_PASSWORD_FILE: '/x' })).toEqual([
      'HTTP_PASSWORD stands beside HTTP_PASSWORD_FILE: only one of them delivers the password',
    ]);
  });

  test('a password file that is not there or is empty is a mistake', () => {
    const pathOf = folderWith({ empty: '' });
    expect(mistakesOf({ ...ON, HTTP_PASSWORD_FILE: pathOf('gone') })).toEqual([
      expect.stringContaining('HTTP_PASSWORD_FILE names a file that does not exist'),
    ]);
    expect(mistakesOf({ ...ON, HTTP_PASSWORD_FILE: pathOf('empty') })).toEqual([
      `HTTP_PASSWORD_FILE names ${pathOf('empty')}, which is empty`,
    ]);
  });
});
