import { describe, expect, it } from 'vitest';
import type { FolderStatus } from '../../src/domain/ports.ts';
import { Standings } from '../../src/forward/standings.ts';

const of = (messages: number, uidNext: number, uidValidity = 7): FolderStatus => ({
  messages,
  uidNext,
  uidValidity,
});

describe('what a STATUS tells', () => {
  const visited = (view: FolderStatus, ...before: FolderStatus[]) => {
    const standings = new Standings();
    for (const status of before) standings.isNews('F', status);
    standings.opening('F')(view);
    return standings;
  };

  it('is news of a folder that was never looked at, and of one whose look failed', () => {
    expect(new Standings().isNews('F', of(0, 1))).toBe(true);
    const standings = visited(of(1, 2));
    standings.forget('F');
    expect(standings.isNews('F', of(1, 2))).toBe(true);
  });

  it.each<[string, FolderStatus, boolean]>([
    ['nothing changed', of(3, 10), false],
    ['the visit carried some away', of(1, 10), false],
    ['mail came', of(4, 11), true],
    ['mail came and the visit carried some away', of(3, 11), true],
    ['more is there under the same UIDNEXT', of(4, 10), true],
    ['UIDNEXT went back', of(3, 9), true],
    ['UIDVALIDITY changed', of(3, 10, 8), true],
    ['no UIDNEXT is told, and nothing came', { messages: 3, uidValidity: 7 }, false],
    ['no UIDNEXT is told, and something came', { messages: 4, uidValidity: 7 }, true],
    ['only UIDNEXT is told, and is another', { uidNext: 11 }, true],
  ])('after a visit is news only where something came: %s', (_, status, news) => {
    expect(visited(of(3, 10)).isNews('F', status)).toBe(news);
  });

  it('is news for every change once the folder has settled', () => {
    const standings = visited(of(3, 10));
    expect(standings.settled('F')).toBe(false);
    expect(standings.isNews('F', of(0, 10))).toBe(false);
    expect(standings.settled('F')).toBe(true);
    expect(standings.isNews('F', of(0, 10))).toBe(false);
    expect(standings.isNews('F', of(1, 10))).toBe(true);
  });

  it('stays news until a visit', () => {
    const standings = visited(of(3, 10));
    expect(standings.isNews('F', of(4, 11))).toBe(true);
    expect(standings.isNews('F', of(4, 11))).toBe(true);
  });

  it('is no news again where STATUS and SELECT do not agree about UIDNEXT', () => {
    const standings = visited(of(3, 10), of(3, 20));
    expect(standings.isNews('F', of(3, 20))).toBe(false);
    expect(standings.isNews('F', of(4, 21))).toBe(true);
  });

  it('does not take what was told while the folder was being opened for seen', () => {
    const standings = new Standings();
    const opened = standings.opening('F');
    standings.isNews('F', of(4, 11));
    opened(of(3, 10));
    expect(standings.isNews('F', of(4, 11))).toBe(true);
  });
});
