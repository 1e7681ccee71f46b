import { describe, expect, it, vi } from 'vitest';
import { EVENTS, type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import { Failure } from '../../src/domain/failure.ts';
import { type LogOptions, subscribeLog } from '../../src/report/log.ts';

const NAMES = Object.keys(EVENTS) as EventName[];

/** What a message could bring along to steer a terminal: C0, C1, a bidirectional override. */
const NASTY = 'a\u001b[2Jb\u009b31mc\u0007d\r\ne\u202ef\u0000g\u2028h';

const FULL: EventFields = {
  route: 'default',
  folder: 'INBOX',
  uid: 7,
  messageId: '<seven@example.org>',
  dest: 'Archive',
  bytes: 12_345,
  ms: 412,
  step: 'append',
  attempt: 2,
  why: 'the server said so',
  side: 'destination',
  count: 3,
  proof: 'identical',
};

async function log(options: Partial<LogOptions> = {}) {
  const stream = eventStream();
  const written: string[] = [];
  const days: string[] = [];
  const isDay = (line: string) => /^[A-Z][a-z]{2} \d{4}-\d\d-\d\d\n$/.test(line);
  const destination = { write: (line: string) => (isDay(line) ? days : written).push(line) };
  const end = await subscribeLog(stream, {
    level: 'debug',
    format: 'json',
    destination,
    ...options,
  });
  return {
    ...stream,
    end,
    written,
    days,
    rows: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe.each(NAMES)('%s', (event) => {
  it.each([
    ['with every field', FULL],
    ['with none', {}],
  ])('is one JSON object on one line, %s', async (_what, fields) => {
    const { emit, written, rows } = await log();
    emit(event, fields);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\{.*\}\n$/);
    const [row] = rows();
    expect(row).toMatchObject({ event, level: EVENTS[event][0], ...fields });
    expect(row?.msg).toMatch(/\S{4}/);
    expect(row?.msg).not.toMatch(/undefined|null|NaN|\[object/);
    expect(row?.time).toBe(new Date(String(row?.time)).toISOString());
    expect(row).not.toHaveProperty('pid');
    expect(row).not.toHaveProperty('hostname');
  });

  it('is one line of the diary', async () => {
    const { emit, written } = await log({ format: 'pretty' });
    emit(event, FULL);
    expect(written).toHaveLength(1);
    const level = EVENTS[event][0].toUpperCase();
    expect(written[0]).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${level}: .+\\n$`));
  });
});

it('tells a delivery like a diary, and its fields beside it', async () => {
  const { emit, rows } = await log();
  emit('delivery.done', FULL);
  const [row] = rows();
  expect(row?.msg).toBe('INBOX → Archive, 12.3 KB in 0.4 s');
  expect(row).toMatchObject({ uid: 7, bytes: 12_345, ms: 412, messageId: '<seven@example.org>' });
});

it('prefers the sentence that an event brings along', async () => {
  const { emit, rows } = await log();
  emit('delivery.done', { ...FULL, msg: 'As told' });
  expect(rows()[0]?.msg).toBe('As told');
});

it.each([
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info']],
  ['debug', ['error', 'warn', 'info', 'debug']],
  ['fatal', []],
] as const)('writes at LOG_LEVEL=%s only what is that loud', async (level, loud) => {
  const { emit, rows } = await log({ level });
  for (const event of NAMES) emit(event);
  const wanted = NAMES.filter((event) => (loud as readonly string[]).includes(EVENTS[event][0]));
  expect(rows().map((row) => row.event)).toEqual(wanted);
});

it('writes nothing any more once it was ended', async () => {
  const { emit, end, written } = await log();
  end();
  emit('imapferry.started');
  expect(written).toEqual([]);
});

describe('what a server says', () => {
  const fields: EventFields = { ...FULL, folder: NASTY, dest: NASTY, why: NASTY, messageId: NASTY };

  it.each(NAMES)('does not steer a terminal by way of %s', async (event) => {
    for (const format of ['json', 'pretty'] as const) {
      for (const msg of [undefined, NASTY]) {
        const { emit, written } = await log({ format });
        emit(event, { ...fields, ...(msg && { msg }), err: new Error(NASTY) });
        expect(written).toHaveLength(1);
        // Everything but the line's own end.
        expect(written[0]?.slice(0, -1)).not.toMatch(
          /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u,
        );
      }
    }
  });

  it('is the same again when the JSON is read', async () => {
    const { emit, rows } = await log();
    emit('delivery.done', fields);
    expect(rows()[0]).toMatchObject({ folder: NASTY, dest: NASTY, messageId: NASTY });
  });
});

it('has room for all of a name that is far too long but its end', async () => {
  for (const format of ['json', 'pretty'] as const) {
    const { emit, written } = await log({ format });
    const long = 'x'.repeat(1_000_000);
    emit('delivery.done', { ...FULL, folder: long, dest: long, messageId: long });
    emit('folder.left-out', { folder: long, why: long, err: new Error(long) });
    expect(written).toHaveLength(2);
    for (const line of written) expect(line.length).toBeLessThan(5000);
  }
});

describe('an error', () => {
  const root = new Error('550 <carol@example.org> is over quota');
  const failure = new Failure('The destination took no mail.', {
    step: 'append',
    scope: 'account',
    kind: 'full',
    code: 'OVERQUOTA',
    cause: new Error('Command failed', { cause: root }),
  });

  it('is told by kind, step, code, message and the messages beneath, without its stack', async () => {
    const { emit, rows, written } = await log({ level: 'info' });
    emit('delivery.postponed', { why: failure.message, err: failure });
    expect(rows()[0]?.err).toEqual({
      kind: 'full',
      step: 'append',
      code: 'OVERQUOTA',
      message: 'The destination took no mail.',
      causes: ['Command failed', '550 <…@…> is over quota'],
    });
    expect(written[0]).not.toContain('log.test.ts');
  });

  it('never brings a mail address into the log, by whatever field of words it comes', async () => {
    const words = 'mail for carol@example.org is refused';
    for (const format of ['json', 'pretty'] as const) {
      const { emit, written } = await log({ format });
      emit('delivery.postponed', { why: words, err: new Error(words, { cause: words }) });
      emit('delivery.refused', { msg: words });
      expect(written.join('')).not.toContain('carol');
    }
  });

  it('that is a mistake of ours says where it came about', async () => {
    const { emit, rows } = await log();
    emit('imapferry.failed', { err: new TypeError('x is not a function') });
    const err = rows()[0]?.err as { message: string; at: string[] };
    expect(err.message).toBe('x is not a function');
    expect(err.at[0]).toContain('log.test.ts');
  });

  it('that is no Error at all is told, too', async () => {
    const { emit, rows } = await log();
    emit('account.lost', { err: 'gone' });
    expect(rows()[0]?.err).toEqual({ message: 'gone' });
  });

  it('that is its own cause comes to an end', async () => {
    const circle = new Error('round');
    circle.cause = circle;
    const { emit, rows } = await log();
    emit('account.lost', { err: circle });
    expect(rows()[0]).toMatchObject({ err: { causes: Array(8).fill('round') } });
  });
});

describe('the diary', () => {
  it('names the route where it is not the only one', async () => {
    const { emit, written } = await log({ format: 'pretty' });
    emit('delivery.done', FULL);
    emit('delivery.done', { ...FULL, route: 'mum' });
    expect(written[0]).toContain('INFO: INBOX → Archive');
    expect(written[1]).toContain('INFO: mum: INBOX → Archive');
  });

  it('begins each day with a line of its own', async () => {
    vi.useFakeTimers({ now: new Date(2026, 10, 28, 23, 59, 58), toFake: ['Date'] });
    try {
      const { emit, days } = await log({ format: 'pretty' });
      emit('delivery.done', FULL);
      emit('delivery.done', FULL);
      expect(days).toEqual(['Sat 2026-11-28\n']);
      vi.setSystemTime(new Date(2026, 10, 29, 0, 0, 1));
      emit('delivery.done', FULL);
      expect(days).toEqual(['Sat 2026-11-28\n', 'Sun 2026-11-29\n']);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['has no colours where it does not go to a terminal', {}, false],
    ['has colours on a terminal', { isTTY: true, hasColors: () => true }, true],
    ['has none on a terminal that wants none', { isTTY: true, hasColors: () => false }, false],
  ])('%s', async (_what, terminal, coloured) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line), ...terminal };
    const { emit } = await log({ format: 'pretty', destination });
    emit('imapferry.started');
    expect(lines.join('').includes('\u001b[')).toBe(coloured);
  });

  it('is written on a terminal, and JSON elsewhere, unless LOG_FORMAT says so', async () => {
    for (const isTTY of [true, false]) {
      const lines: string[] = [];
      const destination = { write: (line: string) => lines.push(line), isTTY };
      const { emit } = await log({ format: undefined, destination });
      emit('imapferry.started');
      expect(lines[0]?.startsWith('{')).toBe(!isTTY);
    }
  });
});
