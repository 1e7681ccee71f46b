/** Looks at an account without changing anything in it: LIST, STATUS, GETQUOTAROOT, and EXAMINE, which leaves \Recent. */
import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import { asFailure, type Failure } from '../domain/failure.ts';
import type { FolderStatus } from '../domain/ports.ts';
import type { Account } from '../domain/route.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import type { Measure, Quota, Secured, Survey } from '../domain/survey.ts';
import { failureOf } from './answers.ts';
import { Client } from './client.ts';
import type { Answer, Token, Tokens } from './internals.ts';
import { ImapSession } from './session.ts';
import type { Met } from './transport.ts';

export interface Surveyed {
  readonly survey: Survey;
  /** Messages and bytes of a folder. Rejects with a Failure. */
  measure(folder: string): Promise<Measure>;
  /** Where a folder stands, by STATUS. Rejects with a Failure. */
  standing(folder: string): Promise<FolderStatus>;
  /** Ends the connection politely. Never rejects. */
  end(): Promise<void>;
}

/** Connects, looks, and stays connected for `measure`. Never rejects: what goes wrong is the survey's `failure`. */
export async function surveyAccount(
  account: Account,
  options: { readonly signal: AbortSignal; readonly silence?: number },
): Promise<Surveyed> {
  const wire: { reached: boolean; secured?: Secured } = { reached: false };
  const met: Met = (socket, certificate) => {
    wire.reached = true;
    if (socket instanceof TLSSocket) wire.secured = securedBy(socket, certificate);
  };
  const nothing = {
    capabilities: new Set<string>(),
    quotas: [],
    folders: [],
    createsSpecialUse: false,
  };
  let session: ImapSurvey;
  try {
    session = new ImapSurvey(await Client.connect(account, { ...options, met }));
  } catch (thrown) {
    const failure = asFailure(thrown, 'connect');
    return {
      survey: { ...wire, loggedIn: false, failure, ...nothing },
      measure: () => Promise.reject(failure),
      standing: () => Promise.reject(failure),
      end: async () => undefined,
    };
  }
  const known = { ...wire, loggedIn: true };
  const survey: Survey = await session.survey().then(
    (said) => ({ ...known, ...said }),
    (thrown: unknown) => ({ ...known, ...nothing, failure: failureOf(thrown, 'look') }),
  );
  return {
    survey,
    measure: (folder) => session.measure(folder),
    standing: (folder) => session.standing(folder),
    end: () => session.logout(),
  };
}

function securedBy(socket: TLSSocket, certificate: X509Certificate | undefined): Secured {
  const ends = new Date(certificate?.validTo ?? '');
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    ...(!Number.isNaN(ends.getTime()) && { certificateEnds: ends }),
  };
}

class ImapSurvey extends ImapSession {
  async survey(): Promise<Omit<Survey, 'reached' | 'secured' | 'loggedIn' | 'failure'>> {
    const { flow } = this.client;
    const listing = await this.listFolders();
    const { name, version } = flow.serverInfo ?? {};
    const server = withoutSecrets([name, version].filter(Boolean).join(' '));
    const appendLimit = await this.#appendLimit();
    return {
      ...(server !== '' && { server }),
      capabilities: new Set([...flow.capabilities.keys()].map((each) => each.toUpperCase())),
      ...(appendLimit !== undefined && { appendLimit }),
      quotas: this.client.has('QUOTA') ? await this.#quotas() : [],
      ...listing,
    };
  }

  /** By STATUS SIZE (RFC 8438) where the server has it, else the sizes of all messages are added up. */
  async measure(folder: string): Promise<Measure> {
    if (this.client.has('STATUS=SIZE') || this.client.has('IMAP4REV2')) {
      const said = await this.#status(folder, ['MESSAGES', 'SIZE', 'UIDNEXT', 'UIDVALIDITY']);
      const { MESSAGES: messages, SIZE: bytes } = said;
      if (messages !== undefined && bytes !== undefined)
        return { ...statusOf(said), messages, bytes };
    }
    const view = await this.select(folder, true);
    const { uidValidity, uidNext } = view;
    if (view.messages === 0) return { messages: 0, bytes: 0, uidValidity, uidNext };
    const sizes = new Map<number, number>();
    await this.fetchRows(
      { step: 'look', sets: ['1:*'], items: ['size'], wanted: () => true },
      ({ uid, size = 0 }) => sizes.set(uid, size),
    );
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return { messages: sizes.size, bytes, uidValidity, uidNext };
  }

  async standing(folder: string): Promise<FolderStatus> {
    return statusOf(await this.#status(folder, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']));
  }

  /** A bare APPENDLIMIT means that each folder has its own (RFC 7889 §3): INBOX speaks for all. */
  async #appendLimit(): Promise<number | undefined> {
    const limit = this.client.flow.capabilities.get('APPENDLIMIT');
    if (typeof limit === 'number') return limit;
    if (limit === undefined) return undefined;
    return (await unlessRefused(this.#status('INBOX', ['APPENDLIMIT'])))?.APPENDLIMIT;
  }

  async #status(folder: string, items: readonly string[]): Promise<Record<string, number>> {
    const said: Record<string, number> = {};
    const STATUS = ({ attributes = [] }: Answer) => {
      const values = attributes.find((each): each is Tokens => Array.isArray(each)) ?? [];
      for (let i = 0; i + 1 < values.length; i += 2) {
        const value = textOf(values[i + 1]);
        if (/^\d+$/.test(value)) said[textOf(values[i]).toUpperCase()] = Number(value);
      }
    };
    const asked: Tokens = items.map((value) => ({ type: 'ATOM', value }));
    await this.client.step('look', () =>
      this.client.command('STATUS', [this.#path(folder), asked], { untagged: { STATUS } }),
    );
    return said;
  }

  /** The storage limits that INBOX counts against. */
  async #quotas(): Promise<Quota[]> {
    const quotas: Quota[] = [];
    const QUOTA = ({ attributes: [root, values] = [] }: Answer) => {
      if (!Array.isArray(values)) return;
      for (let i = 0; i + 2 < values.length; i += 3) {
        const [resource, used, limit] = values.slice(i, i + 3).map(textOf) as [
          string,
          string,
          string,
        ];
        // STORAGE counts units of 1024 bytes (RFC 9208 §5.1).
        if (resource.toUpperCase() === 'STORAGE' && /^\d+$/.test(`${used}${limit}`)) {
          quotas.push({
            root: textOf(root),
            used: 1024 * Number(used),
            limit: 1024 * Number(limit),
          });
        }
      }
    };
    await unlessRefused(
      this.client.step('look', () =>
        this.client.command('GETQUOTAROOT', [this.#path('INBOX')], { untagged: { QUOTA } }),
      ),
    );
    return quotas;
  }

  #path(folder: string): Token {
    const { flow } = this.client;
    return { type: 'ATOM', value: encodePath(flow, normalizePath(flow, folder)) };
  }
}

function statusOf(said: Record<string, number>): FolderStatus {
  const { MESSAGES: messages, UIDNEXT: uidNext, UIDVALIDITY: uidValidity } = said;
  return {
    ...(messages !== undefined && { messages }),
    ...(uidNext !== undefined && { uidNext }),
    ...(uidValidity !== undefined && { uidValidity }),
  };
}

/** `undefined` where the server answers NO or BAD; a connection that ends still rejects. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    const failure: Failure = failureOf(thrown, 'look');
    if (failure.outcomeUnknown) throw failure;
    return undefined;
  }
}

function textOf(token: Tokens[number] | undefined): string {
  return token && !Array.isArray(token) ? String((token as Token).value) : '';
}
