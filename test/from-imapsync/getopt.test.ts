import { expect, test } from 'vitest';
import { readArguments } from '../../src/from-imapsync/getopt.ts';

/** What was understood: `name=value`, `name` or `no name`. */
function understood(args: string[]) {
  const { given, wrong, stray } = readArguments(args.map((text) => ({ text, unknown: [] })));
  const options = given.map(
    ({ option, negated, value }) =>
      `${negated ? 'no ' : ''}${option.names[0]}${value === undefined ? '' : `=${value.text}`}`,
  );
  return { options, wrong, stray };
}

test.each([
  [['--host1', 'a'], ['host1=a']],
  [['-host1', 'a'], ['host1=a']],
  [['--host1=a'], ['host1=a']],
  [['-HOST1=a=b'], ['host1=a=b']],
  [['--host1='], ['host1=']],
  [['--host1', '--user1'], ['host1=--user1']],
  [['--autom'], ['automap']],
  [['--noauto'], ['no automap']],
  [['--no-automap'], ['no automap']],
  [['--passf1', 'x'], []],
  [['--maxsi', '1_000'], ['maxsize=1_000']],
  [['--maxage', '.5'], []],
  [['--maxage', '1.5'], ['maxage=1.5']],
  [['--expunge'], ['expunge1']],
  [['--subscribe_all'], ['subscribeall']],
  [['--ipv4'], ['inet4']],
  [['--sslargs1', 'SSL_verify_mode=1'], ['sslargs1=SSL_verify_mode=1']],
  [['--no-modulesversion'], ['no modulesversion']],
  [
    ['--folder', 'a', '--folder', 'b'],
    ['folder=a', 'folder=b'],
  ],
])('%j is read as Perl does', (args, options) => {
  expect(understood(args).options).toEqual(options);
});

test.each([
  [['--password1'], '--password1 stands at the end, without its value'],
  [['--port1', 'hush'], '--port1 has a value that is no number'],
  [['--passwrd1', 'hush'], '--passwrd1 is no option of imapsync that imapferry knows'],
  [['--passwrd1=hush'], '--passwrd1 is no option of imapsync that imapferry knows'],
  [['--pass', 'hush'], '--pass is the beginning of several options: --password1, --password2'],
  [['–-password2=hush'], 'password2 has a long dash in front'],
])('%j: what imapsync would not take is named, without its value', (args, words) => {
  const { wrong, options } = understood(args);
  expect(options).toEqual([]);
  expect(wrong.join()).toContain(words);
  expect(wrong.join()).not.toContain('hush');
});

test('words of no option are counted, not shown', () => {
  expect(understood(['--password1', 'my', 'secret', '--dry', '--', '--host1']).stray).toBe(2);
});
