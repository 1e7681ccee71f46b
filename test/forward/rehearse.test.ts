/** A dry run between two memory servers: what it says of each message, and that it leaves both servers as they are. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { letter, Rig, type RigOptions } from './rig.ts';

const dryRun = true;

/** A dry run's journal forgets: each one gets its own, and the life after it begins with none. */
async function dry(rig: Rig, options: RigOptions = {}) {
  const before = everything(rig);
  const { failures } = await rig.sweep({ dryRun, ...options });
  expect(everything(rig)).toEqual(before);
  return { failures, plans: plans(rig) };
}

function plans(rig: Rig) {
  return rig.told
    .filter(({ event }) => event === 'delivery.planned')
    .map(({ folder, uid, dest, plan, why }) => [folder, uid, dest, plan, why].filter(Boolean));
}

function everything({ source, destination }: Rig) {
  return [source, destination].map(({ folders }) =>
    structuredClone(
      [...folders.values()].map(({ path, uidNext, subscribed, messages }) => ({
        path,
        uidNext,
        subscribed,
        messages: messages.map(({ uid, flags, bytes }) => ({ uid, flags, bytes })),
      })),
    ),
  );
}

describe('a dry run', () => {
  it('says of each message where it would go, with what names it', async () => {
    await using rig = new Rig('INBOX', 'Sent');
    rig.destination.makeFolder('Sent');
    rig.source.put(letter('Hello', '<one@example.org>'));
    rig.source.put(letter(), { folder: 'Sent' });
    expect((await dry(rig)).plans).toEqual([
      ['INBOX', 1, 'INBOX', 'carry'],
      ['Sent', 1, 'Sent', 'carry'],
    ]);
    const [first] = rig.told.filter(({ event }) => event === 'delivery.planned');
    expect(first).toMatchObject({ route: 'default', messageId: '<one@example.org>' });
    expect(first?.bytes).toBe(rig.source.folder().messages[0]?.bytes.length);
  });

  it('says that a missing folder would be made, and makes none', async () => {
    await using rig = new Rig('INBOX', 'Lists');
    rig.source.put(letter(), { folder: 'Lists' });
    expect((await dry(rig)).plans).toEqual([
      ['Lists', 1, 'Lists', 'carry', 'the destination has no folder Lists, it would be made'],
    ]);
  });

  it('says that mail for a missing folder would stay where none may be made', async () => {
    await using rig = new Rig('INBOX', 'Lists');
    rig.source.put(letter(), { folder: 'Lists' });
    const { plans } = await dry(rig, { createFolders: false });
    expect(plans.map(([, , , plan]) => plan)).toEqual(['leave']);
  });

  it('finds a copy that is there already, and finds it for one original only', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    rig.destination.put(twin);
    rig.source.put(twin);
    rig.source.put(twin);
    const { plans } = await dry(rig);
    expect(plans.map(([, , , plan]) => plan).sort()).toEqual(['carry', 'retire']);
  });

  it('says what is too large for MAX_MESSAGE_SIZE or the destination', async () => {
    await using rig = new Rig();
    rig.destination.manners.appendLimit = 3000;
    rig.source.put(letter('x'.repeat(2000)));
    rig.source.put(letter('x'.repeat(4000)));
    const { plans } = await dry(rig);
    expect(plans.map(([, uid, , plan]) => [uid, plan])).toEqual([
      [2, 'leave'],
      [1, 'carry'],
    ]);
    expect(rig.count('delivery.refused')).toBe(0);
    await dry(rig, { maxMessageSize: 1000 });
    expect(rig.told.at(-1)?.event).not.toBe('delivery.refused');
    const last = rig.told.filter(({ event }) => event === 'delivery.planned').slice(-2);
    expect(last.map(({ plan }) => plan)).toEqual(['leave', 'leave']);
    expect(last[0]?.why).toMatch(/MAX_MESSAGE_SIZE allows 1000/);
  });

  it('knows what was carried before, and what it would do with the original', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    await rig.sweep({ afterDelivery: { kind: 'keep' } });
    rig.source.put(letter());
    expect((await dry(rig)).plans).toEqual([
      ['INBOX', 1, 'INBOX', 'retire', 'it was carried before'],
      ['INBOX', 2, 'INBOX', 'carry'],
    ]);
  });

  it('leaves what others marked unsaid', async () => {
    await using rig = new Rig();
    rig.source.put(letter(), { flags: ['\\Deleted'] });
    expect((await dry(rig)).plans).toEqual([]);
  });

  it('is tried again where a connection ends, and says each message once', async () => {
    await using rig = new Rig();
    const lost = new Failure('It ended.', { step: 'fetch', scope: 'connection' });
    rig.source.plan('fetch', { fails: lost });
    rig.source.put(letter());
    expect((await dry(rig)).plans).toHaveLength(1);
    expect(rig.count('delivery.retried')).toBe(1);
  });

  it('that watches says each message once as it comes, whatever the sweeps find', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.start({ dryRun, sweepInterval: 5 });
    await rig.saw('delivery.planned');
    rig.source.put(letter());
    await rig.saw('delivery.planned', 2);
    const swept = rig.count('sweep.finished');
    await rig.saw('sweep.finished', swept + 3);
    expect(plans(rig)).toEqual([
      ['INBOX', 1, 'INBOX', 'carry'],
      ['INBOX', 2, 'INBOX', 'carry'],
    ]);
    expect(rig.destination.folder().messages).toEqual([]);
  });

  it('says what then is done', async () => {
    await using rig = new Rig('INBOX', 'Lists');
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.source.put(letter(), { folder: 'Lists' });
    const { plans } = await dry(rig);
    rig.journal = memoryJournal();
    await rig.sweep();
    const done = rig.told.filter(({ event }) => event === 'delivery.done');
    expect(done.map(({ folder, uid, dest }) => [folder, uid, dest])).toEqual(
      plans.map((plan) => plan.slice(0, 3)),
    );
    expect(rig.oracle.violations).toEqual([]);
  });
});
