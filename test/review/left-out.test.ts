/** Folders of which nothing is carried although they are named. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AccountStatus } from '../../src/domain/status.ts';
import { healthOf } from '../../src/report/health.ts';
import { verdictOf } from '../../src/report/verdict.ts';
import { letter, Rig } from '../forward/rig.ts';

it('a route of which no folder is carried is not said to flow', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  const stop = new AbortController();
  const runner = rig.runner({ folders: [{ kind: 'folder', name: 'Posteingang' }] }, stop.signal);
  const done = runner.run();
  await rig.saw('route.ready');
  await wait(50);
  const startedAt = Date.now() - 9 * 3_600_000;
  const accounts = (['source', 'destination'] as const).map(
    (side): AccountStatus => ({ side, is: 'connected', since: startedAt }),
  );
  const routes = [{ ...runner.standing, accounts }];
  const findings = { version: '', startedAt, routes };
  const at = Date.now();
  const status = { ...findings, ...healthOf(findings, at), at };
  stop.abort(new Error('the test stops it'));
  await done;
  expect(rig.count('folder.left-out')).toBe(1);
  expect(verdictOf(status).says).not.toBe('Mail is flowing.');
});
