/** The language of SOURCE_RATE_LIMIT and DEST_RATE_LIMIT: `60/min`, `500MB/day`, or both with a comma between. */
import type { RateLimit } from '../domain/route.ts';
import { Unusable } from './mistakes.ts';
import { type Parser, quoted, size } from './values.ts';

const SPANS = { sec: 1000, min: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** So many messages, or so large a size, per sec, min, hour or day. At most one limit of a kind and span. */
export const rateLimits: Parser<readonly RateLimit[]> = (value) => {
  const limits = value.split(',').map((entry, i) => {
    const limit = limitOf(entry.trim());
    if (limit !== undefined) return limit;
    const which = value.includes(',') ? ` (entry ${i + 1} is not)` : '';
    throw new Unusable(
      `must be a number of messages or a size, each per sec, min, hour or day, or both with a comma between${which}${quoted(value)}`,
    );
  });
  const twice = limits.findIndex((limit, i) =>
    limits.slice(0, i).some(({ of, within }) => of === limit.of && within === limit.within),
  );
  if (twice < 0) return limits;
  throw new Unusable(
    `limits the same twice: entry ${twice + 1} is of a kind that stands before it`,
  );
};

function limitOf(entry: string): RateLimit | undefined {
  const [, amount = '', span = ''] = /^(\S+?)\s*\/\s*([a-z]+)$/i.exec(entry) ?? [];
  const within = SPANS[span.toLowerCase() as keyof typeof SPANS];
  if (within === undefined) return undefined;
  if (/^0*[1-9]\d{0,8}$/.test(amount)) return { of: 'messages', most: Number(amount), within };
  try {
    return { of: 'bytes', most: size(amount), within };
  } catch (thrown) {
    if (thrown instanceof Unusable) return undefined;
    throw thrown;
  }
}
