import { describe, expect, it } from 'vitest';
import { firstDay, historiesOf } from '../../src/report/history.ts';

/** A Saturday noon by the clock of this machine. */
const NOW = new Date(2026, 10, 28, 12, 30).getTime();
const of = (day: string, messages: number, folder = 'INBOX', route = 'mum') => ({
  ...{ route, folder, day, messages },
  bytes: 100 * messages,
});

describe('the history of a route', () => {
  const carried = [
    of('2026-10-30', 1),
    of('2026-11-21', 2),
    of('2026-11-22', 4),
    of('2026-11-28', 8),
    of('2026-11-28', 16, 'Sent'),
    of('2026-11-28', 32, 'INBOX', 'dad'),
  ];
  const speeds = [
    { route: 'mum', day: '2026-11-28', ms: 900, messages: 1 },
    { route: 'mum', day: '2026-11-28', ms: 100, messages: 18 },
    { route: 'mum', day: '2026-11-28', ms: 5000, messages: 1 },
    { route: 'dad', day: '2026-11-28', ms: 7, messages: 9 },
  ];
  const [mum, dad, aunt] = historiesOf(['mum', 'dad', 'aunt'], { carried, speeds }, NOW);

  it('goes back thirty days, today included', () => {
    expect(firstDay(NOW)).toBe('2026-10-30');
    expect(mum?.days).toHaveLength(30);
    expect(mum?.days[0]).toEqual({ day: '2026-10-30', messages: 1, bytes: 100 });
    expect(mum?.days[1]).toEqual({ day: '2026-10-31', messages: 0, bytes: 0 });
    expect(mum?.days.at(-1)?.day).toBe('2026-11-28');
  });

  it('adds up today, seven days and thirty, of all folders and of each', () => {
    expect(mum).toMatchObject({
      today: { messages: 24, bytes: 2400 },
      week: { messages: 28 },
      month: { messages: 31 },
    });
    expect(mum?.folders).toMatchObject([
      { folder: 'INBOX', today: { messages: 8 }, week: { messages: 12 } },
      { folder: 'Sent', today: { messages: 16 } },
    ]);
    expect(dad?.today.messages).toBe(32);
    expect(aunt?.month).toEqual({ messages: 0, bytes: 0 });
  });

  it('tells how long half of the mail took, and 95 of 100', () => {
    expect(mum?.days.at(-1)).toMatchObject({ p50: 100, p95: 900 });
    expect(mum?.days[0]).not.toHaveProperty('p50');
  });

  it.each(['Europe/Berlin', 'America/New_York', 'Pacific/Apia'])(
    'has every day once where clocks are changed (%s)',
    (zone) => {
      const before = process.env.TZ;
      process.env.TZ = zone;
      try {
        for (const month of [2, 3, 9, 10]) {
          const end = new Date(2026, month, 15, 0, 5).getTime();
          const [route] = historiesOf(['a'], { carried: [], speeds: [] }, end);
          expect(new Set(route?.days.map(({ day }) => day)).size).toBe(30);
        }
      } finally {
        if (before === undefined) delete process.env.TZ;
        else process.env.TZ = before;
      }
    },
  );
});
