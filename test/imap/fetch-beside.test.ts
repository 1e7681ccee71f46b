/** Many who fetch, list and ask on one connection, of a server that answers in any order it likes. */
import { expect, it, vi } from 'vitest';
import { dice } from '../../bench/tools/statistics.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import { FakeImap, fakeAccount, type Line } from '../support/fake-imap.ts';

const MB = 1024 * 1024;
const LARGE = new Map([
  [901, 9 * MB + 17],
  [902, 10 * MB],
]);
const bodies = new Map<number, string>();

/** The bytes of a message: some words, or as many as it is large. */
function bodyOf(uid: number): string {
  const known = bodies.get(uid);
  if (known !== undefined) return known;
  const head = `Message-ID: <${uid}@example.org>\r\n\r\nmessage ${uid}\r\n`;
  const body = head.padEnd(LARGE.get(uid) ?? 0, `${uid}`);
  bodies.set(uid, body);
  return body;
}

function expand(set: string): number[] {
  return set.split(',').flatMap((part) => {
    const [a = 0, b = a] = part.split(':').map(Number);
    return Array.from({ length: b - a + 1 }, (_, i) => a + i);
  });
}

it.each(Array.from({ length: 12 }, (_, i) => i + 1))('gives each its own (%s)', async (seed) => {
  const random = dice(seed);
  const jobs: { rows: string[]; end: string; line: Line }[] = [];
  let busy = false;
  const alone: string[] = [];
  const refused = new Set<string>();
  const pump = async () => {
    if (busy) return;
    busy = true;
    while (jobs.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, random() < 0.2 ? 2 : 0));
      const job = jobs[Math.floor(random() * jobs.length)];
      if (!job) continue;
      const row = job.rows.shift();
      if (row !== undefined) job.line.send(row);
      else {
        job.line.send(job.end);
        jobs.splice(jobs.indexOf(job), 1);
      }
      if (random() < 0.1) job.line.send('* 9 EXISTS');
      if (random() < 0.05) job.line.send('* 3 FETCH (FLAGS (\\Seen))');
      if (random() < 0.05) job.line.send('* 3 FETCH (UID 3 FLAGS (\\Seen))');
    }
    busy = false;
  };
  const server = await FakeImap.start({
    replies: {
      SELECT: ({ tag }) =>
        `* 9 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2000] ok\r\n${tag} OK [READ-WRITE] done`,
      NOOP: ({ tag }) => {
        if (jobs.length > 0) alone.push(`NOOP beside ${jobs.length}`);
        return `${tag} OK done`;
      },
      'UID FETCH': ({ tag, args }, line) => {
        const [set = ''] = args.split(' ');
        const piece = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/.exec(args);
        const whole = args.includes('BODY.PEEK[]');
        const uids = expand(set).filter((uid) => uid < 1000);
        const rows = uids.map((uid) => {
          const bytes = bodyOf(uid);
          const info = args.includes('FLAGS')
            ? ` FLAGS () INTERNALDATE " 3-Feb-2011 04:05:06 +0000" RFC822.SIZE ${bytes.length}`
            : '';
          const [, offset = '0', length = '0'] = piece ?? [];
          const part = piece ? bytes.slice(Number(offset), Number(offset) + Number(length)) : bytes;
          const source = whole
            ? ` BODY[]${piece ? `<${offset}>` : ''} {${part.length}}\r\n${part}`
            : '';
          return `* ${uid} FETCH (UID ${uid}${info}${source})`;
        });
        // Once for each set, else who asks gives up.
        const gone = whole && !piece && !refused.has(set) && random() < 0.15;
        if (gone) refused.add(set);
        const end = gone
          ? `${tag} NO Some of the requested messages no longer exist.`
          : `${tag} OK done`;
        jobs.push({ rows: gone ? rows.slice(0, rows.length >> 1) : rows, end, line });
        void pump();
        return undefined;
      },
    },
  });
  try {
    const session = await sourceAccount(fakeAccount('source', server.port), {
      idleRenew: 60_000,
    }).connect(new AbortController().signal);
    await session.open('INBOX', { readOnly: false, idle: true });
    let next = 10;
    const tallied: string[] = [];
    const one = async () => {
      for (let i = 0; i < 15; i++) {
        const kind = random();
        if (kind < 0.7) {
          const uids = Array.from(
            { length: 1 + Math.floor(random() * 5) },
            () => (next += 1 + Math.floor(random() * 2)),
          );
          if (next > 880) return;
          const got = await session.fetch(uids.map((uid) => ({ uid, size: bodyOf(uid).length })));
          expect(got.map(({ uid }) => uid)).toEqual(uids);
          for (const { uid, content } of got)
            expect(content.bytes?.toString('latin1')).toBe(bodyOf(uid));
        } else if (kind < 0.85) await session.noop();
        else await session.list([1, 2]);
        if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 80));
      }
    };
    const big = async (uid: number) => {
      const [got] = await session.fetch([{ uid, size: bodyOf(uid).length }]);
      expect(got?.content.length).toBe(bodyOf(uid).length);
      tallied.push(`${uid}`);
    };
    await Promise.all([one(), one(), one(), one(), ...(seed < 4 ? [big(901), big(902)] : [])]);
    expect(alone).toEqual([]);
    await vi.waitFor(() => expect(server.commands.at(-1)).toMatch(/IDLE$/));
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(server.commands.filter((c) => /BAD/.test(c))).toEqual([]);
    session.close();
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
