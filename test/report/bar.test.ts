import { describe, expect, it, vi } from 'vitest';
import { eventStream } from '../../src/domain/events.ts';
import { barLine, type Course, drawBar } from '../../src/report/bar.ts';

const MIDWAY: Course = {
  route: 'default',
  count: 1234,
  bytes: 45_200_000,
  left: 3766,
  rate: 3_100_000,
  eta: 240_000,
};

describe('the line', () => {
  it('shows messages, bytes, rate and time left within 80 columns', () => {
    expect(barLine(MIDWAY)).toBe(
      '[#####...................] 1234 of 5000, 45.2 MB, 3.1 MB/s, 4 min left',
    );
  });

  it('is whole at the end, and empty at the beginning', () => {
    expect(barLine({ ...MIDWAY, left: 0, eta: 0 })).toBe(
      '[########################] 1234 of 1234, 45.2 MB, 3.1 MB/s',
    );
    expect(barLine({ route: 'default', count: 0, bytes: 0, left: 7, rate: 0 })).toBe(
      '[........................] 0 of 7, 0 B',
    );
    expect(barLine({ route: 'default', count: 0, bytes: 0, left: 0, rate: 0 })).toBe(
      '[........................] 0 of 0, 0 B',
    );
  });

  it.each([200, 132, 80, 79, 60, 50, 41, 40, 20, 0, undefined])(
    'never reaches the edge of a terminal of %s columns',
    (columns) => {
      const routes = ['default', 'mum', 'a-name-that-is-much-too-long-for-a-line', 'x\u001b[2J'];
      for (const route of routes) {
        for (const count of [0, 1, 999_999_999]) {
          const line = barLine({ ...MIDWAY, route, count, rate: 1e9, eta: 1e12 }, columns);
          expect(line.length).toBeLessThan(Math.max(40, columns || 80));
          expect(line).not.toContain('\u001b');
          expect(line).toContain(`${count} of `);
        }
      }
    },
  );

  it('names the route where there are several', () => {
    expect(barLine({ ...MIDWAY, route: 'mum' })).toContain('] mum: 1234 of 5000');
  });
});

describe('a bar', () => {
  function screen(isTTY = true) {
    const written: string[] = [];
    return { written, isTTY, columns: 80, write: (text: string) => written.push(text) };
  }
  /** Draws once. */
  async function drawn(written: readonly string[]) {
    const before = written.length;
    await vi.waitUntil(() => written.length > before);
  }
  const CLEARED = '\r\u001b[K';

  it('is drawn on a terminal only', () => {
    expect(drawBar(eventStream(), screen(false))).toBeUndefined();
    expect(drawBar(eventStream(), { write: () => undefined })).toBeUndefined();
  });

  it('is redrawn in place while there is something to follow', async () => {
    const { written, ...rest } = screen();
    const bar = drawBar(eventStream(), rest, 1);
    bar?.follow(() => MIDWAY);
    await drawn(written);
    expect(written.at(-1)).toBe(`\r${barLine(MIDWAY)}\u001b[K`);
    bar?.follow(undefined);
    expect(written.at(-1)).toBe(CLEARED);
    const { length } = written;
    bar?.end();
    expect(written).toHaveLength(length);
  });

  it('is out of the way of every line that is told, and of none that is not', async () => {
    const { written, ...rest } = screen();
    const stream = eventStream();
    const bar = drawBar(stream, rest, 1);
    bar?.follow(() => MIDWAY);
    await drawn(written);
    stream.emit('folder.looked');
    expect(written.at(-1)).not.toBe(CLEARED);
    stream.emit('delivery.done');
    expect(written.at(-1)).toBe(CLEARED);
    await drawn(written);
    bar?.end();
    expect(written.at(-1)).toBe(CLEARED);
    stream.emit('delivery.done');
    expect(written.filter((text) => text === CLEARED)).toHaveLength(2);
  });
});
