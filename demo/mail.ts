/** Sample mail of our own making, each as different as mail is: the demo's letters. */

export interface Letter {
  readonly folder: 'INBOX' | 'Sent';
  readonly flags: readonly string[];
  readonly bytes: Buffer;
}

type Kind = (
  nth: number,
  date: string,
) => { head: string[]; body: string | Buffer; flags?: string[] };

const kinds: readonly Kind[] = [
  () => ({
    head: ['From: Ada <ada@example.org>', 'Subject: Lunch on Thursday?'],
    body: 'Shall we say half past twelve, at the place by the canal?\r\n\r\nAda\r\n',
  }),
  () => ({
    head: [
      'From: =?utf-8?Q?Bj=C3=B6rn?= <bjorn@example.net>',
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_L=C3=BCbeck?=',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
    ],
    body: Buffer.from('Schöne Grüße von der Trave — das Wetter hält.\r\n'),
    flags: ['\\Flagged'],
  }),
  (nth) => ({
    head: [
      'From: "Weekly List" <list@example.com>',
      `Subject: [list] Digest number ${nth}`,
      'List-Id: <weekly.example.com>',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary="=_half"',
    ],
    body: [
      '--=_half',
      'Content-Type: text/plain; charset=us-ascii',
      '',
      ...Array.from(
        { length: 12 + (nth % 40) },
        (_, i) => `${i + 1}. Something happened this week.`,
      ),
      '--=_half',
      'Content-Type: text/html; charset=us-ascii',
      '',
      '<h1>Digest</h1><p>Something happened this week.</p>',
      '--=_half--',
      '',
    ].join('\r\n'),
    flags: ['\\Seen'],
  }),
  (nth) => ({
    head: [
      'From: Scanner <scanner@example.org>',
      'Subject: Scanned pages',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="=_scan"',
    ],
    body: [
      '--=_scan',
      'Content-Type: application/octet-stream; name="pages.bin"',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment; filename="pages.bin"',
      '',
      ...base64Lines(20_000 + ((nth * 7919) % 60_000)),
      '--=_scan--',
      '',
    ].join('\r\n'),
  }),
  () => ({
    head: ['From: someone@example.net', 'Subject:'],
    body: '\r\n',
  }),
];

/** The nth letter, for as long as one likes. Every seventh is one of the owner's own, in Sent; every ninth has no Message-ID. */
export function letter(nth: number, now = new Date()): Letter {
  const kind = kinds[nth % kinds.length] as Kind;
  const { head, body, flags = [] } = kind(nth, now.toUTCString());
  const own = nth % 7 === 2;
  const lines = [
    ...head.map((line) => (own && line.startsWith('From:') ? 'From: me@example.org' : line)),
    own ? 'To: ada@example.org' : 'To: me@example.org',
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    ...(nth % 9 === 4 ? [] : [`Message-ID: <letter-${nth}.${now.getTime()}@example.org>`]),
    '',
    '',
  ];
  return {
    folder: own ? 'Sent' : 'INBOX',
    flags: own ? ['\\Seen'] : flags,
    bytes: Buffer.concat([Buffer.from(lines.join('\r\n')), Buffer.from(body)]),
  };
}

/** So many bytes that compress badly, the same ones each time, as base64 lines of 76 characters. */
function base64Lines(length: number): string[] {
  const bytes = Buffer.alloc(length);
  let state = length;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[i] = state >> 16;
  }
  return bytes.toString('base64').match(/.{1,76}/g) ?? [];
}
