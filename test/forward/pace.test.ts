/** The pauses as they are in earnest: every other test shortens them. */
import { expect, it } from 'vitest';
import { PACE, refusedPause } from '../../src/forward/pace.ts';

const MINUTE = 60_000;

it('a refused message is tried again after 1 min, doubling to 6 h, and 6-hourly from then on', () => {
  const pauses = Array.from({ length: 12 }, (_, i) => refusedPause(PACE, i + 1) / MINUTE);
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
});

it('six refused attempts a minute are the most', () => {
  expect([PACE.refusals, PACE.refusalsWithin]).toEqual([6, MINUTE]);
});

it('a connection that falls silent is borne for 90 s, and begun anew after 1 s, doubling to 5 min', () => {
  expect([PACE.silence, PACE.reconnectFirst, PACE.reconnectLongest]).toEqual([
    90_000,
    1000,
    5 * MINUTE,
  ]);
});
