/** A flag that was turned over, and one answer of the source that is late or lies: it is put back all the same. */
import { expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { letter, Rig } from '../forward/rig.ts';

const inbox: Route['folders'] = [{ kind: 'folder', name: 'INBOX' }];

it.each([1, 3])(
  'leaves no flag turned over where the answer after turn %i still shows it as it was',
  async (nth) => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    const [original] = rig.source.folder().messages;
    let turns = 0;
    let late = false;
    rig.source.beforeEach(({ name }) => {
      if (original === undefined) return;
      if (late) original.flags.add('\\Flagged');
      late = false;
      if (name === 'setFlag') turns++;
      // This one list shows the flag as it was before the STORE; all later ones show it as it is.
      if (name !== 'list' || turns !== nth || !original.flags.has('\\Flagged')) return;
      original.flags.delete('\\Flagged');
      late = true;
      turns = 100;
    });
    rig.start({ folders: inbox, sweepInterval: 20 });
    await rig.until('it is decided', () => rig.count('route.blocked') > 0);
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
    await rig.stop();
    if (late) original?.flags.add('\\Flagged');
    expect([...(rig.source.folder().messages[0]?.flags ?? [])]).toEqual([]);
  },
);

it('puts no flag on a copy that only imapferry has turned over', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  const [original] = rig.source.folder().messages;
  let late: boolean | undefined;
  rig.source.beforeEach(({ name }) => {
    if (original === undefined) return;
    if (late) original.flags.add('\\Flagged');
    if (late !== undefined && name !== 'list') late = false;
    if (name !== 'list' || late !== undefined || !original.flags.has('\\Flagged')) return;
    original.flags.delete('\\Flagged');
    late = true;
  });
  rig.start({ folders: inbox, sweepInterval: 20 });
  await rig.empty();
  await rig.stop();
  expect([...(rig.destination.find(1)?.flags ?? [])]).toEqual([]);
});
