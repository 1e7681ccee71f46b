import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { RouteRunner } from '../../src/forward/route-runner.ts';
import { type CallName, closesAfter, type Fault, fails } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

const LETTER = Buffer.from('Subject: of its own\r\n\r\nWords.\r\n');
const NEVER = AbortSignal.any([]);

/** A route that runs, and the rig it runs in. */
async function running<T>(
  work: (rig: Rig, runner: RouteRunner) => Promise<T>,
  before: (rig: Rig) => void = () => undefined,
): Promise<T> {
  const rig = new Rig();
  before(rig);
  const quit = new AbortController();
  const runner = rig.runner({}, quit.signal);
  const life = runner.run();
  try {
    return await work(rig, runner);
  } finally {
    quit.abort(new Error('the test ends'));
    await life;
  }
}

const full = new Failure('The mailbox is full.', {
  step: 'append',
  scope: 'account',
  kind: 'full',
});

const down = new Failure('Nobody answers.', { step: 'connect', scope: 'connection', kind: 'lost' });

describe('a message of imapferry itself', () => {
  it('comes to the INBOX of the destination, unread and dated now', async () => {
    await running(async (rig, runner) => {
      // INTERNALDATE is in whole seconds.
      const before = Date.now() - 1000;
      await runner.putLetter(LETTER, NEVER);
      const [put, ...others] = rig.destination.folder().messages;
      expect(others).toEqual([]);
      expect(put?.bytes.equals(LETTER)).toBe(true);
      expect([...(put?.flags ?? [])]).toEqual([]);
      expect(put?.internalDate.getTime()).toBeGreaterThanOrEqual(before);
    });
  });

  it('comes while the source lets nobody in', async () => {
    const refuse = (rig: Rig) => {
      const refusal = { step: 'login', scope: 'account', kind: 'login-refused' } as const;
      rig.source.plan('login', ...Array(50).fill(fails(new Failure('No.', refusal))));
    };
    await running(async (rig, runner) => {
      await runner.putLetter(LETTER, NEVER);
      expect(rig.destination.folder().messages.length).toBe(1);
    }, refuse);
  });

  it('comes beside mail that is being carried, which it does not disturb', async () => {
    await running(
      async (rig, runner) => {
        await runner.putLetter(LETTER, NEVER);
        await rig.empty();
        expect(rig.destination.folder().messages.length).toBe(41);
        expect(rig.count('delivery.done')).toBe(40);
      },
      (rig) => {
        for (let i = 0; i < 40; i++) rig.source.put(letter());
      },
    );
  });

  it.each<[string, CallName, Fault, object, number]>([
    ['is refused', 'append', fails(full), { kind: 'full', outcomeUnknown: false }, 0],
    ['finds no INBOX', 'open', fails(full), { kind: 'full', outcomeUnknown: false }, 0],
    ['is cut off', 'append', closesAfter, { outcomeUnknown: true }, 1],
  ])('is sent once where it %s', async (_, call, fault, failure, there) => {
    await running(async (rig, runner) => {
      await rig.saw('route.ready');
      rig.destination.plan(call, fault);
      await expect(runner.putLetter(LETTER, NEVER)).rejects.toMatchObject(failure);
      await wait(50);
      expect(rig.destination.folder().messages.length).toBe(there);
    });
  });

  it('is not sent later where no connection is free in time', async () => {
    await running(
      async (rig, runner) => {
        const given = AbortSignal.timeout(20);
        await expect(runner.putLetter(LETTER, given)).rejects.toMatchObject({ kind: 'lost' });
        await rig.saw('route.ready');
        await wait(50);
        expect(rig.destination.count('append')).toBe(0);
      },
      (rig) => rig.destination.plan('connect', ...Array<Fault>(30).fill(fails(down))),
    );
  });
});
