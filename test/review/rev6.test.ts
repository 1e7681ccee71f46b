import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { accountId } from '../../src/domain/route.ts';
import { letter, Rig, routeOf } from '../forward/rig.ts';

function dice(seed: number) {
  let s = seed * 2654435761 >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const from = Number(process.env.FROM ?? 1), to = Number(process.env.TO ?? 60);
const WRITES = ['takeUp', 'putDown', 'intend', 'setAside', 'withdraw', 'prove', 'retire', 'gone', 'forget', 'seen'] as const;
describe('fuzz', () => {
  for (let seed = from; seed <= to; seed++)
    it(`seed ${seed}`, async () => {
      const d = dice(seed);
      const pick = <T>(xs: readonly T[]): T => xs[Math.floor(d() * xs.length)] as T;
      const rig = new Rig('A');
      try {
        const uidPlus = d() < 0.6, destPlus = d() < 0.6;
        rig.source.manners.abilities.uidPlus = uidPlus;
        rig.source.manners.abilities.move = d() < 0.5;
        rig.destination.manners.abilities.uidPlus = destPlus;
        rig.destination.manners.batching = destPlus ? pick(['multi', 'literal', 'single'] as const) : pick(['literal', 'single'] as const);
        rig.destination.manners.staleViews = d() < 0.3;
        rig.source.manners.staleViews = d() < 0.3;
        const opts = { sweepInterval: 20 + Math.floor(d() * 60), concurrency: 1 + Math.floor(d() * 4), maxWatchers: Math.floor(d() * 3), pace: { settle: 15, silence: 100 } };
        let on = true;
        const rate = 0.02 + d() * 0.15;
        const fault = () => {
          const r = d();
          if (r < 0.25) return { closesBefore: true };
          if (r < 0.5) return { closesAfter: true };
          if (r < 0.65) return { fails: new Failure('no', { step: 'look' as const, scope: pick(['connection', 'folder', 'account'] as const) }) };
          if (r < 0.8) return { takes: Math.floor(d() * 25) };
          return { unanswered: true };
        };
        let total = 0;
        for (const server of [rig.source, rig.destination]) server.beforeEach((c) => {
          if (++total < 15000) return;
          writeFileSync('/tmp/rev1/hot.txt', `seed ${seed} uidPlus ${uidPlus} ${destPlus} ${JSON.stringify(rig.source.manners)} ${JSON.stringify(opts)}\n` + rig.told.slice(-60).map((t) => `${t.event} ${t.folder ?? ''} ${t.uid ?? ''} ${t.step ?? ''} ${t.why ?? ''}`).join('\n') + '\nSRC ' + rig.source.calls.slice(-40).map((c) => JSON.stringify(c)).join('\n') + '\nDST ' + rig.destination.calls.slice(-20).map((c) => JSON.stringify(c)).join('\n'));
          process.kill(process.pid, 'SIGKILL');
        });
        for (const server of [rig.source, rig.destination])
          server.beforeEach(({ name }) => {
            if (!on || name === 'logout') return;
            if (d() < rate && server.planned(name) === 0) {
              const f = fault();
              if (name === 'append' && 'fails' in f) server.plan(name, { fails: new Failure('no', { step: 'append', scope: pick(['connection', 'folder', 'account', 'message'] as const) }) });
              else if ((name === 'login' || name === 'connect') && ('unanswered' in f || 'closesAfter' in f)) return;
              else server.plan(name, f as never);
            }
          });
        const { name, source, destination } = routeOf();
        const rows = rig.journal.route(name, accountId(source), accountId(destination)) as never as Record<string, (...a: unknown[]) => unknown>;
        const jrate = d() < 0.5 ? 0 : d() * 0.1;
        for (const w of WRITES) {
          const real = (rows[w] as (...a: unknown[]) => unknown).bind(rows);
          rows[w] = (...a: unknown[]) => {
            if (on && d() < jrate) throw new Failure('disk full', { step: 'journal', scope: 'account' });
            return real(...a);
          };
        }
        const twin = letter('twin'), twin2 = 'Subject: none\r\n\r\nno id\r\n';
        const strangers: { uid: number; folder: string; origin: number }[] = [];
        rig.start(opts);
        for (let i = 0; i < 40; i++) {
          const folder = pick(['INBOX', 'INBOX', 'A']);
          const r = d();
          if (r < 0.45) rig.source.put(pick([letter(), twin, twin, twin2, letter('x'.repeat(100))]), { folder });
          else if (r < 0.5) rig.source.renumber(folder);
          else if (r < 0.55) rig.source.cut();
          else if (r < 0.6) rig.destination.cut();
          else if (r < 0.64) rig.destination.renumber(folder === 'A' && !rig.destination.folders.has('A') ? 'INBOX' : folder);
          else if (r < 0.72) {
            await rig.stop();
            rig.journal.begin();
            rig.start(opts);
          } else if (r < 0.76) {
            const m = pick(rig.source.folder(folder).messages);
            if (m) rig.source.flag(m.uid, ['\\Flagged'], [], folder);
          }
          await wait(Math.floor(d() * 12));
        }
        on = false;
        const left = () => rig.source.everything().filter(({ flags }) => !flags.has('\\Deleted')).length;
        await rig.until('all carried', () => left() === 0);
        await wait(60);
        rig.oracle.assert();
        void strangers;
      } finally {
        await rig.stop();
      }
    }, 20_000);
});
