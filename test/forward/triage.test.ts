import { describe, expect, it } from 'vitest';
import type { Note } from '../../src/domain/ports.ts';
import type { AfterDelivery } from '../../src/domain/route.ts';
import { Epoch } from '../../src/forward/folder-state.ts';
import { PACE } from '../../src/forward/pace.ts';
import { type Road, roadOf } from '../../src/forward/triage.ts';

const NOW = 1_000_000;

function epoch(): Epoch {
  return new Epoch(
    { source: 'INBOX', dest: 'INBOX' },
    {
      folder: 'INBOX',
      uidValidity: 1,
      uidNext: 10,
      messages: 9,
      readOnly: false,
      uidNotSticky: false,
    },
  );
}

function note(state: Note['state'], more: Partial<Note> = {}): Note {
  return {
    uid: 5,
    state,
    sha256: '',
    size: 1,
    dest: { folder: 'INBOX', uidValidity: 1, uidNext: 1 },
    tries: 1,
    notedAt: 0,
    ...more,
  };
}

interface Row {
  readonly title: string;
  readonly note?: Note;
  readonly uid?: number;
  readonly flags?: string[];
  readonly mode?: AfterDelivery;
  readonly rechecked?: boolean;
  readonly road: Road;
}

const rows: Row[] = [
  { title: 'appends what came after the folder was first opened', uid: 10, road: 'fresh' },
  { title: 'looks first for what was there before and has no note', uid: 9, road: 'seek' },
  { title: 'leaves alone what someone else marked', flags: ['\\Deleted'], road: 'rest' },
  {
    title: 'leaves alone what someone else marked, in any letter case',
    flags: ['\\DELETED'],
    road: 'rest',
  },
  {
    title: 'looks for what an interrupted APPEND may have left',
    note: note('appending'),
    road: 'seek',
  },
  {
    title: 'leaves alone what someone else marked while it was on its way',
    note: note('appending'),
    flags: ['\\Deleted'],
    road: 'rest',
  },
  { title: 'retires what is proven', note: note('proven'), road: 'retire' },
  {
    title: 'retires what is proven and was marked before a crash',
    note: note('proven'),
    flags: ['\\Deleted'],
    road: 'retire',
  },
  {
    title: 'looks at an unverified message once a process',
    note: note('unverified', { retryAt: NOW + 1 }),
    road: 'seek',
  },
  {
    title: 'then lets an unverified message rest until its day has come',
    note: note('unverified', { retryAt: NOW + 1 }),
    rechecked: true,
    road: 'rest',
  },
  {
    title: 'looks at an unverified message again when its day has come',
    note: note('unverified', { retryAt: NOW }),
    rechecked: true,
    road: 'seek',
  },
  {
    title: 'lets a refused message rest',
    note: note('refused', { retryAt: NOW + 1 }),
    road: 'rest',
  },
  {
    title: 'tries a refused message again in time',
    note: note('refused', { retryAt: NOW }),
    road: 'seek',
  },
  {
    title: 'tries a refused message again whose pause a clock that was set back made longer',
    note: note('refused', { retryAt: NOW + PACE.refusedFirst + 1 }),
    road: 'seek',
  },
  {
    title: 'lets a message rest that was refused often',
    note: note('refused', { tries: 4, retryAt: NOW + 8 * PACE.refusedFirst }),
    road: 'rest',
  },
  {
    title: 'looks at an unverified message again whose day a clock that was set back made longer',
    note: note('unverified', { retryAt: NOW + PACE.unverified + 1 }),
    rechecked: true,
    road: 'seek',
  },
  {
    title: 'lets a kept original rest under keep',
    note: note('retired', { retired: 'kept' }),
    mode: { kind: 'keep' },
    road: 'rest',
  },
  {
    title: 'retires a kept original once AFTER_DELIVERY is expunge',
    note: note('retired', { retired: 'kept' }),
    road: 'retire',
  },
  {
    title: 'lets a marked original rest under mark',
    note: note('retired', { retired: 'marked' }),
    flags: ['\\Deleted'],
    mode: { kind: 'mark' },
    road: 'rest',
  },
  {
    title: 'lets a marked original rest under mark when someone unmarked it',
    note: note('retired', { retired: 'marked' }),
    mode: { kind: 'mark' },
    road: 'rest',
  },
  {
    title: 'expunges a marked original that had to be held',
    note: note('retired', { retired: 'marked' }),
    flags: ['\\Deleted'],
    road: 'retire',
  },
  {
    title: 'retires again what is noted as expunged and is still there',
    note: note('retired', { retired: 'expunged' }),
    road: 'retire',
  },
  {
    title: 'moves a kept original once AFTER_DELIVERY is move',
    note: note('retired', { retired: 'kept' }),
    mode: { kind: 'move', folder: 'Carried' },
    road: 'retire',
  },
];

describe('the road of a message', () => {
  it.each(rows)(
    '$title',
    ({ note, uid = 5, flags = [], mode = { kind: 'expunge' }, rechecked, road }) => {
      const here = epoch();
      if (rechecked) here.rechecked.add(uid);
      const message = { uid, size: 1, flags: new Set(flags) };
      expect(roadOf(message, note, here, mode, NOW, PACE)).toBe(road);
    },
  );
});

describe('a draft', () => {
  const HOUR = 3_600_000;
  const now = Date.UTC(2026, 0, 1);
  const drafts = () => {
    const { pair, ...view } = {
      pair: { source: 'Drafts', dest: 'Drafts', use: '\\Drafts' as const },
      folder: 'Drafts',
      uidValidity: 1,
      uidNext: 10,
      messages: 9,
      readOnly: false,
      uidNotSticky: false,
    };
    return new Epoch(pair, view);
  };
  const road = (age: number | undefined, known?: Note) => {
    const internalDate = age === undefined ? {} : { internalDate: new Date(now - age) };
    const message = { uid: 12, size: 1, flags: new Set<string>(), ...internalDate };
    return roadOf(message, known, drafts(), { kind: 'expunge' }, now, PACE);
  };

  it.each([
    ['rests for an hour after it was touched', HOUR - 1, undefined, 'rest'],
    ['goes after an hour', HOUR, undefined, 'fresh'],
    ['rests where the server is an hour ahead', -HOUR + 1, undefined, 'rest'],
    ['goes where the server is years ahead', -9000 * HOUR, undefined, 'fresh'],
    ['goes without a date', undefined, undefined, 'fresh'],
    ['is retired at any age once its copy is proven', 0, note('proven'), 'retire'],
  ] as [string, number | undefined, Note | undefined, Road][])('%s', (_, age, known, expected) => {
    expect(road(age, known)).toBe(expected);
  });
});
