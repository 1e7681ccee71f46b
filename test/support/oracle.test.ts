import { expect, it } from 'vitest';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { Mail, message, type Stored } from './mail.ts';
import { type Expected, type Letter, Oracle, verdict } from './oracle.ts';

const DATE = new Date('2009-02-13T23:31:30Z');
const A: Letter = {
  folder: 'INBOX',
  bytes: Buffer.from('Subject: a\r\n\r\none\r\n'),
  flags: ['\\Seen', 'Word'],
  internalDate: DATE,
};
const B: Letter = { ...A, bytes: Buffer.from('Subject: b\r\n\r\ntwo\r\n') };

let uid = 0;
function stored(letter: Letter, changes: Partial<Stored> = {}): Stored {
  const { bytes, flags = [], internalDate = DATE } = letter;
  return { uid: ++uid, bytes, flags, internalDate, ...changes };
}

type Case = readonly [
  name: string,
  expected: Partial<Expected>,
  source: readonly Stored[],
  destination: readonly Stored[],
  said: RegExp | undefined,
];

const marked = { flags: ['\\Deleted', '\\Seen', 'Word'] };
const other = (text: string) => ({ bytes: Buffer.from(text) });

const CASES: readonly Case[] = [
  ['all at the source', {}, [stored(A), stored(B)], [], undefined],
  ['one here, one there', {}, [stored(A)], [stored(B)], undefined],
  ['one on both sides', {}, [stored(A), stored(B)], [stored(A)], undefined],
  ['one at neither', {}, [stored(B)], [], /"a" .*lost/],
  ['one twice', { ended: true }, [], [stored(A), stored(B), stored(B)], /"b" .*2 copies/],
  ['one left', { ended: true }, [stored(A)], [stored(A), stored(B)], /1 still at the source/],
  ['one marked', { ended: true }, [stored(A, marked)], [stored(A), stored(B)], /1 still/],
  [
    'one marked, the journal lost',
    { ended: true, journalLost: true },
    [stored(A, marked)],
    [stored(A), stored(B)],
    undefined,
  ],
  [
    'one byte changed',
    {},
    [stored(B)],
    [stored(A, other('Subject: a\r\n\r\none!\r\n'))],
    /lost[\s\S]*nobody put there/,
  ],
  [
    'other line ends',
    { ended: true },
    [],
    [stored(A, other('Subject: a\n\none')), stored(B)],
    undefined,
  ],
  ['other flags', {}, [stored(B)], [stored(A, { flags: ['\\Seen'] })], /other flags/],
  ['flags in capitals', {}, [stored(B)], [stored(A, { flags: ['\\SEEN', 'word'] })], undefined],
  [
    'another second',
    {},
    [stored(B)],
    [stored(A, { internalDate: new Date(DATE.getTime() + 1000) })],
    /INTERNALDATE/,
  ],
  ['flags at the source', {}, [stored(A, { flags: [] }), stored(B)], [], /an original has other/],
  ['a copy of nothing', {}, [stored(A), stored(B)], [stored(A, other('x'))], /nobody put there/],
  ['a twin lost', { originals: [A, A] }, [], [stored(A)], /2 twins.*lost/],
  [
    'a twin lost with the journal',
    { originals: [A, A], journalLost: true, ended: true },
    [],
    [stored(A)],
    undefined,
  ],
  ['both twins lost', { originals: [A, A], journalLost: true }, [], [], /lost/],
  ['a twin too many', { originals: [A, A] }, [], [stored(A), stored(A), stored(A)], /3 copies/],
  [
    'twins with each other’s flags',
    { originals: [A, { ...A, flags: ['\\Flagged'] }] },
    [],
    [stored(A), stored(A)],
    /other flags/,
  ],
  [
    'twins in any order',
    { originals: [A, { ...A, flags: ['\\Flagged'] }], ended: true },
    [],
    [stored(A, { flags: ['\\Flagged'] }), stored(A)],
    undefined,
  ],
  [
    'flags from before another client changed them',
    { originals: [{ ...A, formerly: [['\\Flagged']] }, B], ended: true },
    [],
    [stored(A, { flags: ['\\Flagged'] }), stored(B)],
    undefined,
  ],
  [
    'flags that it never had',
    { originals: [{ ...A, formerly: [['\\Flagged']] }, B], ended: true },
    [],
    [stored(A, { flags: ['\\Draft'] }), stored(B)],
    /other flags/,
  ],
  [
    'twins of which one may have the other’s flags',
    { originals: [{ ...A, formerly: [['\\Flagged']] }, A], ended: true },
    [],
    [stored(A), stored(A, { flags: ['\\Flagged'] })],
    undefined,
  ],
  [
    'one taken away, not copied before',
    { originals: [{ ...A, taken: true }, B], ended: true },
    [],
    [stored(B)],
    undefined,
  ],
  ['one taken away, and two lost', { originals: [{ ...A, taken: true }, B] }, [], [], /"b" .*lost/],
  [
    'a twin taken away, and the other lost',
    { originals: [{ ...A, taken: true }, A] },
    [],
    [],
    /lost/,
  ],
  [
    'one taken away, and copied twice',
    { originals: [{ ...A, taken: true }, B] },
    [stored(B)],
    [stored(A), stored(A)],
    /2 copies/,
  ],
  [
    'one given up, not copied before',
    { originals: [{ ...A, givenUp: true }, B], ended: true },
    [stored(A, marked)],
    [stored(B)],
    undefined,
  ],
  [
    'one given up, and lost',
    { originals: [{ ...A, givenUp: true }, B], ended: true },
    [],
    [stored(B)],
    /lost/,
  ],
  [
    'one marked that nobody gave up',
    { originals: [A, { ...B, givenUp: true }], ended: true },
    [stored(A, marked)],
    [stored(A), stored(B)],
    /1 still/,
  ],
  [
    'a twin lost with the journal, another message as ever',
    { originals: [{ ...A, forgotten: true }, A, B, B], ended: true },
    [],
    [stored(A), stored(B)],
    /"b" .*lost/,
  ],
  [
    'twins with one’s flags twice, the journal lost',
    {
      originals: [
        { ...A, forgotten: true },
        { ...A, flags: ['\\Flagged'] },
      ],
      ended: true,
    },
    [],
    [stored(A), stored(A)],
    undefined,
  ],
  [
    'a twin with flags of none, the journal lost',
    {
      originals: [
        { ...A, forgotten: true },
        { ...A, flags: ['\\Flagged'] },
      ],
      ended: true,
    },
    [],
    [stored(A), stored(A, { flags: ['\\Draft'] })],
    /other flags/,
  ],
  [
    'a stranger gone from the source',
    { originals: [], strangers: { source: [A] } },
    [],
    [],
    /somebody else/,
  ],
  [
    'a stranger unmarked',
    { originals: [], strangers: { source: [{ ...A, ...marked }] } },
    [stored(A)],
    [],
    /somebody else/,
  ],
  [
    'a stranger flagged at the destination',
    { originals: [], strangers: { destination: [A] } },
    [],
    [stored(A, { flags: [] })],
    /somebody else/,
  ],
  [
    'strangers as they were',
    { originals: [B], strangers: { destination: [A], source: [{ ...A, ...marked }] } },
    [stored(A, marked), stored(B)],
    [stored(A), stored(B)],
    undefined,
  ],
  [
    'in another folder',
    { to: () => 'Old' },
    [stored(B)],
    [stored(A)],
    /lost[\s\S]*nobody put there/,
  ],
];

it.each(CASES)('judges: %s', (_, expected, source, destination, said) => {
  const wrong = verdict(
    { originals: [A, B], ...expected },
    { source: new Map([['INBOX', source]]), destination: new Map([['INBOX', destination]]) },
  );
  if (said) expect(wrong.join('\n')).toMatch(said);
  else expect(wrong).toEqual([]);
});

it('forgives what servers make of NULs and 8-bit headers, throughout or not at all', () => {
  const odd: Letter = {
    folder: 'INBOX',
    bytes: Buffer.from('S: \xe4\xf6\r\n\r\na\0b\0\xe4', 'latin1'),
  };
  const judged = (bytes: string) =>
    verdict(
      { originals: [odd], ended: true },
      {
        source: new Map(),
        destination: new Map([['INBOX', [stored(odd, { bytes: Buffer.from(bytes, 'latin1') })]]]),
      },
    );
  expect(judged('S: \xe4\xf6\r\n\r\na\x80b\x80\xe4')).toEqual([]);
  expect(judged('S: XX\r\n\r\na\x80b\x80\xe4')).toEqual([]);
  expect(judged('S: X\xf6\r\n\r\na\0b\0\xe4')).not.toEqual([]);
  expect(judged('S: \xe4\xf6\r\n\r\na\x80b\0\xe4')).not.toEqual([]);
  expect(judged('S: XX\r\n\r\na\0b\0X')).not.toEqual([]);
});

it('reads two real servers', async () => {
  const servers: Dovecot[] = await Promise.all([startDovecot(), startDovecot()]);
  const [one, two] = servers as [Dovecot, Dovecot];
  try {
    await using source = await Mail.login(one.port, 'anna', 'secret-of-anna');
    await using destination = await Mail.login(two.port, 'bert', 'secret-of-bert');
    const oracle = new Oracle(source, destination, (folder) =>
      folder === 'Sent' ? 'Sent Messages' : folder,
    );
    await source.create('Sent');
    const letter = message();
    await oracle.put('INBOX', message(), { flags: ['\\Seen'], internalDate: DATE });
    const uid = await oracle.put('Sent', letter, { flags: ['$Forwarded'], internalDate: DATE });
    await oracle.stranger('destination', 'INBOX', message());
    expect(await oracle.now()).toEqual([]);
    expect((await oracle.end()).join('\n')).toMatch(/INBOX[\s\S]*still[\s\S]*Sent[\s\S]*still/);
    await source.expunge('Sent', String(uid));
    expect((await oracle.now()).join('\n')).toMatch(/lost/);
    await destination.create('Sent Messages');
    await destination.put('Sent Messages', letter, { flags: ['$Forwarded'], internalDate: DATE });
    expect(await oracle.now()).toEqual([]);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});
