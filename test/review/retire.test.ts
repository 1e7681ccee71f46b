/** What was kept before and is to be expunged now: where that fails, it is told. */
import { expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { fails, lies } from '../support/memory-mail.ts';
import { letter, Rig } from '../forward/rig.ts';

it('a sweep says so where what was kept before can not be expunged now', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 3; i++) rig.source.put(letter());
  await rig.sweep({ afterDelivery: { kind: 'keep' } });
  const no = new Failure('The server refused: no permission.', {
    step: 'retire',
    scope: 'folder',
    lasting: true,
  });
  rig.source.plan('expunge', ...Array.from({ length: 20 }, () => fails(no)));
  const { failures } = await rig.sweep({ afterDelivery: { kind: 'expunge' } });
  expect(rig.source.folder().messages.length).toBe(3);
  expect(failures.map(({ failure }) => failure.message)).not.toEqual([]);
});

it('tries again at once where the line is lost while what was kept before is expunged', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 3; i++) rig.source.put(letter());
  await rig.sweep({ afterDelivery: { kind: 'keep' } });
  rig.source.plan('expunge', lies('nothing'));
  rig.start({ afterDelivery: { kind: 'expunge' } });
  await rig.empty();
});
