/** The catalogue of events: what each says, how loud it is, and which fields it carries. */

export type Level = 'error' | 'warn' | 'info' | 'debug';

/**
 * Every event, its level, and the sentence the README prints for it. The name says what has become true.
 * One stream, four readers: log, health, metrics, tests.
 */
export const EVENTS = {
  'imapferry.started': ['info', 'imapferry runs'],
  'imapferry.stopping': ['info', 'a signal came; what is in flight is finished or put down'],
  'imapferry.stopped': ['info', 'nothing is in flight any more'],
  'account.connected': ['info', 'logged in'],
  'route.ready': ['info', 'every folder of the route is watched or swept'],
  'route.resumed': ['info', 'a route that could not deliver delivers again'],
  'plan.made': ['info', 'which folder goes where'],
  'folder.created': ['info', 'a missing destination folder was made and subscribed'],
  'delivery.done': ['info', 'one message is carried: its copy was read back and found the same'],
  'delivery.recovered': ['info', 'a copy made before an interruption was found and proven'],
  'delivery.planned': ['info', 'what would become of one message, were this no dry run'],
  'delivery.paced': ['info', 'a rate limit is reached; deliveries go on as it leaves room'],
  'drain.progress': ['info', 'how far a long drain has come, once a minute'],
  'watchers.raised': ['info', 'one folder more may hold IDLE again'],
  'sweep.caught': ['info', 'a sweep found mail that no watcher had announced'],
  'journal.replayed': ['info', 'what was on its way when imapferry last ended is taken up again'],
  'health.recovered': ['info', 'mail flows again'],
  'alert.sent': [
    'info',
    'a trouble that lasts, or its end, was told in the INBOX of the destination',
  ],
  'alert.handed': ['info', 'ALERT_COMMAND was given a trouble that lasts, or its end'],
  'alert.planned': ['info', 'what would be told of a trouble that lasts, were this no dry run'],
  'heartbeat.resumed': ['info', 'HEARTBEAT_URL can be called again'],
  'http.listening': ['info', 'the status page is served, and where'],

  'config.doubtful': ['warn', 'a setting that works, but perhaps not as meant'],
  'account.lost': ['warn', 'a connection ended; it is begun anew'],
  'account.reconnecting': ['warn', 'connecting did not work; it is tried again after a pause'],
  'watcher.lost': ['warn', 'the connection that watches a folder ended; it is begun anew'],
  'watchers.lowered': ['warn', 'the server lets fewer connections in; fewer folders hold IDLE'],
  'watcher.deaf': [
    'warn',
    'IDLE does not announce mail here; the folder is asked every 30 s besides',
  ],
  'delivery.retried': ['warn', 'a step did not work; the message is tried again'],
  'delivery.slowed': [
    'warn',
    'a server asks to go slower; deliveries pause, and go on with fewer at once',
  ],
  'delivery.postponed': ['warn', 'the tries ran out; the next sweep takes the message up again'],
  'folder.renumbered': [
    'warn',
    'UIDVALIDITY changed: old numbers count no more, mail is looked for anew',
  ],
  'folder.left-out': ['warn', 'a folder that is not carried, and why'],
  'flags.dropped': ['warn', 'the destination folder does not keep some flags'],
  'retire.held': ['warn', 'a carried original stays marked \\Deleted, and why it is not expunged'],
  'plan.kept': ['warn', 'the folders could not be listed again; the plan stays as it was'],
  'sweep.failed': ['warn', 'a sweep broke off; the next one begins on time'],
  'journal.torn': ['warn', 'the journal could not be read; it was set aside'],
  'health.degraded': ['warn', 'mail does not flow as it should'],
  'alert.failed': ['warn', 'a trouble that lasts, or its end, could not be told'],
  'heartbeat.failed': ['warn', 'HEARTBEAT_URL could not be called; it is tried every minute'],
  'systemd.unreached': ['warn', 'systemd could not be told how imapferry is'],

  'config.rejected': ['error', 'the configuration can not be used'],
  'account.refused': ['error', 'the server refuses the login; it is tried again every 15 minutes'],
  'route.blocked': ['error', 'a route delivers nothing until a person has decided'],
  'delivery.refused': ['error', 'a message can not be carried; it stays at the source'],
  'delivery.unverified': ['error', 'a copy differs from its original; the original stays'],
  'journal.failed': ['error', 'the journal can not be written; nothing is appended'],
  'http.failed': ['error', 'the status page can not be served; mail is carried all the same'],
  'imapferry.failed': ['error', 'imapferry can not go on and ends'],

  'watcher.idling': ['debug', 'a folder is watched by IDLE'],
  'watcher.noticed': ['debug', 'the server announced a change'],
  'watcher.renewed': ['debug', 'IDLE was ended and begun again: the connection lives'],
  'folder.looked': ['debug', 'a folder was looked through'],
  'delivery.fetched': ['debug', 'a batch was fetched'],
  'delivery.appended': ['debug', 'a batch was appended'],
  'delivery.verified': ['debug', 'a batch was read back and proven'],
  'alert.command': ['debug', 'what ALERT_COMMAND printed'],
  'sweep.finished': ['debug', 'every folder was nudged and looked through'],
} as const satisfies Record<string, readonly [Level, string]>;

export type EventName = keyof typeof EVENTS;

/**
 * The fields an event may carry. No subject, address, body or password is ever among them.
 * `bytes` in octets, `ms` in milliseconds.
 */
export interface EventFields {
  readonly route?: string;
  readonly folder?: string;
  readonly uid?: number;
  readonly messageId?: string;
  readonly dest?: string;
  readonly bytes?: number;
  readonly ms?: number;
  /** Of a message that came while this process ran: how many ms after its INTERNALDATE. */
  readonly age?: number;
  readonly step?: string;
  readonly attempt?: number;
  readonly why?: string;
  readonly side?: 'source' | 'destination';
  readonly count?: number;
  readonly proof?: string;
  /** How many messages wait, how many bytes a second are carried, and how many milliseconds the rest will take. */
  readonly left?: number;
  readonly rate?: number;
  readonly eta?: number;
  /** When deliveries go on, ISO 8601. */
  readonly until?: string;
  /**
   * What a dry run would do with a message: carry it, retire its original because its copy is there already, or leave
   * it at the source.
   */
  readonly plan?: 'carry' | 'retire' | 'leave';
  readonly err?: unknown;
  /** The sentence for people, in place of the catalogue's. */
  readonly msg?: string;
}

/** Tells an event to whoever listens. Never throws. */
export type Emit = (event: EventName, fields?: EventFields) => void;

export interface EventStream {
  readonly emit: Emit;
  /** Calls `reader` for every event from now on; returns what ends that. */
  subscribe(reader: (event: EventName, fields: EventFields) => void): () => void;
}

/** One stream of events. A reader that throws disturbs nobody. */
export function eventStream(): EventStream {
  const readers = new Set<(event: EventName, fields: EventFields) => void>();
  return {
    emit(event, fields = {}) {
      for (const reader of readers) {
        try {
          reader(event, fields);
        } catch {
          // The engine does not stop for a reader's mistake.
        }
      }
    },
    subscribe(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
  };
}
