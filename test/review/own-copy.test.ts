/** Messages that are proven by themselves: one mailbox, first kept in place, then carried to another folder of it. */
import { expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { letter, Rig } from '../forward/rig.ts';

const inbox: Route['folders'] = [{ kind: 'folder', name: 'INBOX' }];
const toArchive: Route['folders'] = [{ kind: 'folder', name: 'INBOX', to: 'Archive' }];

function bodies(rig: Rig): string[] {
  return rig.source
    .everything()
    .map(({ bytes }) => bytes.toString().split('\r\n\r\n')[1]?.trim() ?? '')
    .sort();
}

it('loses nothing where a trial under keep has found each message to be its own copy', async () => {
  await using rig = Rig.ofOneMailbox('Archive');
  const all = ['first', 'fourth', 'second', 'third'];
  for (const body of ['first', 'second', 'third']) rig.source.put(letter(body));
  // A careful trial, under two names of one account: each message is found to be there already.
  await rig.sweep({ folders: inbox, afterDelivery: { kind: 'keep' } });
  expect(rig.source.folder().messages.length).toBe(3);
  // Now it is to go to another folder, and one message more is there.
  rig.source.put(letter('fourth'));
  await rig.sweep({ folders: toArchive });
  await rig.sweep({ folders: toArchive });
  expect([...new Set(bodies(rig))]).toEqual(all);
});

it('loses nothing where a first life was stopped before it asked, and new mail comes in the second', async () => {
  await using rig = Rig.ofOneMailbox('Archive');
  for (const body of ['first', 'second', 'third']) rig.source.put(letter(body));
  const end = rig.source.beforeEach(({ name }) => {
    // Proven, and the line is lost before anything was asked.
    if (name !== 'list' || rig.rows.count('proven') === 0) return;
    end();
    void rig.stop();
    rig.source.cut();
  });
  rig.start({ folders: inbox });
  await rig.until('it is stopped', () => rig.rows.count('proven') > 0);
  await rig.stop();
  expect(rig.source.folder().messages.length).toBe(3);
  rig.source.put(letter('fourth'));
  rig.start({ folders: toArchive, sweepInterval: 30 });
  await rig.saw('sweep.finished', 4);
  await rig.stop();
  expect([...new Set(bodies(rig))]).toEqual(['first', 'fourth', 'second', 'third']);
});
