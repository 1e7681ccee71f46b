import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { fails } from '../support/memory-mail.ts';
import { letter, Rig } from '../forward/rig.ts';
it('3s in a sweep by command', async () => {
  await using rig = new Rig('A', 'B');
  const other = new Failure('Mailbox was deleted under us', { step: 'open', scope: 'connection' });
  rig.source.put(letter(), { folder: 'A' });
  rig.source.put(letter(), { folder: 'B' });
  rig.destination.plan('append', { closesAfter: true });
  rig.start({ maxWatchers: 0, pace: { settle: 60_000 } });
  await rig.until('sent', () => rig.destination.count('append') === 1);
  await rig.stop();
  rig.destination.folder('A').messages.length = 0;
  let opens = 0;
  rig.source.beforeEach((c) => {
    if (c.name === 'open' && ++opens === 3) rig.source.plan('open', fails(other));
  });
  rig.source.plan('logout', { takes: 60 });
  const { failures } = await rig.sweep({ pace: { settle: 100 } });
  console.log(rig.told.map((t) => `${t.event} ${t.folder ?? ''} ${t.uid ?? ''} ${t.why ?? ''}`).slice(-14).join('\n'));
  console.log(failures.map((f) => `${f.folder} ${f.failure.message}`), opens);
  expect(failures.filter(({ folder }) => folder === 'B')).toEqual([]);
});
