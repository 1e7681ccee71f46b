/** Source and destination are one mailbox under two names: it is found out before anything is removed. */
import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { letter, Rig } from './rig.ts';

const toArchive: Route['folders'] = [{ kind: 'folder', name: 'INBOX', to: 'Archive' }];
const inbox: Route['folders'] = [{ kind: 'folder', name: 'INBOX' }];
const rebuilds = (bytes: Buffer) =>
  Buffer.from(bytes.toString('latin1').replace('\r\n\r\n', '\r\nX-Store: 1\r\n\r\n'), 'latin1');

describe('one mailbox under two names', () => {
  it('loses nothing where what is marked is removed at once', async () => {
    await using rig = Rig.ofOneMailbox();
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.source.beforeEach(({ name, uids }) => {
      if (name === 'mark') rig.source.expunge([...(uids ?? [])]);
    });
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.length).toBe(5);
    expect(rig.source.everything().every(({ flags }) => flags.size === 0)).toBe(true);
  });

  it('sends nothing round where it rebuilds what it stores', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.manners.rewrites = rebuilds;
    rig.start({ folders: inbox, sweepInterval: 50, verify: 'headers' });
    await rig.saw('folder.looked');
    rig.source.put(letter());
    await rig.saw('route.blocked');
    // What was under way meanwhile is appended; then it ends.
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 2);
    const appended = rig.source.count('append');
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
    expect(rig.source.count('append')).toBe(appended);
    expect(rig.count('delivery.done')).toBe(0);
  });

  it('keeps old mail where new mail is proven first', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.manners.rewrites = rebuilds;
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    const end = rig.source.beforeEach(({ name }) => {
      if (name !== 'uids') return;
      end();
      rig.source.put(letter('new'));
    });
    rig.source.plan('fetch', {}, { takes: 60 });
    rig.start({ folders: inbox, sweepInterval: 50, verify: 'headers' });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.filter(({ uid }) => uid <= 5).length).toBe(5);
    expect(rig.count('delivery.done')).toBe(0);
  });

  it('is named by a dry run, which removes nothing in words either', async () => {
    await using rig = Rig.ofOneMailbox();
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    await rig.sweep({ folders: inbox, dryRun: true });
    const planned = rig.told.filter(({ event }) => event === 'delivery.planned');
    expect(planned.map(({ plan }) => plan)).toEqual(['leave', 'leave', 'leave']);
    expect(planned[0]?.why).toMatch(/one and the same folder/);
  });

  it('goes on as soon as another folder is named', async () => {
    await using rig = Rig.ofOneMailbox('Archive');
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    await rig.stop();
    rig.start({ folders: toArchive });
    await rig.empty();
    expect(rig.source.folder('Archive').messages.length).toBe(3);
  });

  it('whose flags show a little late is found out all the same', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    let turned = 0;
    rig.source.beforeEach(({ name }) => {
      // What was set shows from the second look on.
      const [original] = rig.source.folder().messages;
      if (name === 'setFlag') turned = 0;
      if (name === 'read' && turned++ === 0) original?.flags.delete('\\Flagged');
      else if (name === 'read' && turned === 2) original?.flags.add('\\Flagged');
    });
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.length).toBe(1);
  });
});
