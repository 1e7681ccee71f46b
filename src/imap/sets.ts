/** UID sets (RFC 9051 §9, sequence-set): written short, cut to what every server takes, read with care. */

/** Servers refuse long lines (Dovecot at 64 KB) and some more than 1000 messages a command (RFC 9738). */
const MOST_UIDS = 1000;
const LONGEST = 8000;

/** The sets, ranges packed, that name these UIDs: one a command. None for no UIDs. */
export function uidSets(uids: readonly number[]): string[] {
  const sorted = [...new Set(uids)].sort((a, b) => a - b);
  const sets: string[] = [];
  for (let i = 0; i < sorted.length; i += MOST_UIDS) {
    let set = '';
    for (const range of ranges(sorted.slice(i, i + MOST_UIDS))) {
      if (set !== '' && set.length + range.length >= LONGEST) {
        sets.push(set);
        set = '';
      }
      set += set === '' ? range : `,${range}`;
    }
    sets.push(set);
  }
  return sets;
}

function* ranges(sorted: readonly number[]): Generator<string> {
  let from = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i + 1] === (sorted[i] as number) + 1) continue;
    yield from === i ? `${sorted[i]}` : `${sorted[from]}:${sorted[i]}`;
    from = i + 1;
  }
}

/**
 * The UIDs of a set that a server sent (`41:50`, `41,43`), in its order; `undefined` where it is no set of distinct UIDs
 * or has more than `most`.
 */
export function uidsOf(set: string, most: number): number[] | undefined {
  const uids: number[] = [];
  for (const part of set.split(',')) {
    const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(part);
    if (match === null) return undefined;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    // A range names the same UIDs either way round, and then no order (RFC 9051 §9).
    if (first < 1 || last < first || uids.length + last - first >= most) return undefined;
    for (let uid = first; uid <= last; uid++) uids.push(uid);
  }
  return new Set(uids).size === uids.length ? uids : undefined;
}
