/** The servers and settings of a round: a few of what there is out there, drawn by its seed. */
import type { Settings } from '../journey/program.ts';
import type { DovecotOptions } from '../support/dovecot.ts';
import type { Dice } from './dice.ts';

/** Capability lines; `undefined` is Dovecot's own. */
const CAPABILITIES = [
  undefined,
  undefined,
  undefined,
  'IMAP4rev1 UIDPLUS LITERAL+ IDLE',
  'IMAP4rev1 UIDPLUS IDLE MOVE',
  'IMAP4rev1 UIDPLUS MULTIAPPEND LITERAL+',
  'IMAP4rev1 IDLE',
  'IMAP4rev1',
] as const;

export interface Kind {
  readonly source: DovecotOptions;
  readonly destination: DovecotOptions;
  readonly settings: Settings;
  /** Whether the source can expunge single messages, so that others may mark theirs while imapferry runs. */
  readonly uidPlus: boolean;
  /** Whether rows of FETCH are lied about. */
  readonly rows: boolean;
  /** What else the process can be tampered with. */
  readonly tampering: 'disk' | 'clock' | 'none';
  /** The destination's name of a folder of the source. */
  readonly to: (folder: string) => string;
  readonly told: string;
}

export function drawKind(dice: Dice): Kind {
  const source = dice.pick(CAPABILITIES);
  const destination = dice.pick(CAPABILITIES);
  const prefixed = dice.chance(0.25);
  const uidPlus = source === undefined || source.includes('UIDPLUS');
  const move = uidPlus && dice.chance(0.2);
  const rows = dice.chance(0.4);
  const tampering = dice.pick(['disk', 'clock', 'none'] as const);
  const settings = {
    FOLDERS: prefixed ? 'INBOX, Box=INBOX.Box' : 'INBOX, Box',
    CONCURRENCY: String(dice.pick([1, 2, 4])),
    MAX_WATCHERS: String(dice.pick([1, 2, 3])),
    AFTER_DELIVERY: move ? 'move:Carried' : 'expunge',
    SWEEP_INTERVAL: '1s',
    IDLE_RENEW: '1s',
  };
  return {
    source: capable(source),
    destination: {
      ...capable(destination),
      ...(prefixed && { separator: '.' as const, prefix: 'INBOX.' }),
    },
    settings,
    uidPlus,
    rows,
    tampering,
    to: (folder) => (prefixed && folder !== 'INBOX' ? `INBOX.${folder}` : folder),
    told: [
      `from ${source ?? 'all that Dovecot can'}`,
      `to ${destination ?? 'all that Dovecot can'}${prefixed ? ', prefix INBOX.' : ''}`,
      `AFTER_DELIVERY=${settings.AFTER_DELIVERY} CONCURRENCY=${settings.CONCURRENCY} MAX_WATCHERS=${settings.MAX_WATCHERS}`,
      `tampering: ${tampering}, FETCH rows: ${rows ? 'lied about' : 'true'}`,
    ].join('; '),
  };
}

/** Dovecot's maildir refuses for a while whatever comes right after a folder was made anew, its sdbox does not. */
const extra = 'mail_location = sdbox:%h\nservice imap {\n  service_count = 1\n}';

function capable(capability: string | undefined): DovecotOptions {
  return { extra, ...(capability !== undefined && { capability }) };
}
