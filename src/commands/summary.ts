/** What `sweep` prints of a route at its end: what was carried, or, of a dry run, what would be. */
import type { EventFields, EventName } from '../domain/events.ts';
import type { RouteJournal } from '../domain/ports.ts';
import type { AfterDelivery, Route } from '../domain/route.ts';
import type { SweepResult } from '../forward/route-runner.ts';
import { size } from '../report/sentences.ts';

interface Summary {
  /** Hears of every event of the route. */
  take(event: EventName, fields: EventFields): void;
  /** The lines, and whether nothing is left that was not carried, or would not be. */
  end(journal: RouteJournal, failures: SweepResult['failures']): Told;
}

interface Told {
  readonly lines: readonly string[];
  readonly whole: boolean;
}

export class CarriedSummary implements Summary {
  #carried = 0;
  readonly #found: string[] = [];

  take(event: EventName, { folder, uid, messageId = '', why }: EventFields): void {
    if (event === 'delivery.done') this.#carried++;
    // Without a note nobody knows whether this original or a twin of it was carried before.
    if (event === 'delivery.recovered' && why !== undefined) {
      this.#found.push(`UID ${uid} in ${folder} ${messageId}`.trimEnd());
    }
  }

  end(journal: RouteJournal, failures: SweepResult['failures']): Told {
    const lines = [`${counted(this.#carried)} carried.`];
    if (this.#found.length > 0) {
      lines.push(
        `${counted(this.#found.length)} found at the destination, of which the journal knew nothing, and not sent again; of several that are the same to the last byte, one copy may stand for all:`,
        ...this.#found.map((name) => `  ${name}`),
      );
    }
    for (const { folder, failure } of failures) {
      lines.push(`${folder ?? 'the route'} was not carried through: ${failure.message}`);
    }
    const aside = journal.aside();
    for (const { folder, uid, why } of aside) {
      lines.push(`the message with UID ${uid} in ${folder} stays: ${why ?? 'not known why'}`);
    }
    const waiting = journal.count('appending') + journal.count('proven');
    if (waiting > 0) lines.push(`${counted(waiting)} on the way; run it again.`);
    return { lines, whole: failures.length + aside.length + waiting === 0 };
  }
}

interface PlannedFolder {
  readonly dest: string;
  carry: number;
  bytes: number;
  retire: number;
}

export class PlannedSummary implements Summary {
  readonly #after: string;
  readonly #folders = new Map<string, PlannedFolder>();
  /** Every message that was told of. */
  readonly #told = new Set<string>();
  readonly #left: string[] = [];

  constructor({ afterDelivery }: Route) {
    this.#after = retired(afterDelivery);
  }

  take(event: EventName, fields: EventFields): void {
    const { folder = '', dest = '', uid, bytes = 0, plan, why } = fields;
    if (event !== 'plan.made' && event !== 'delivery.planned') return;
    const planned = this.#folders.get(folder) ?? { dest, carry: 0, bytes: 0, retire: 0 };
    this.#folders.set(folder, planned);
    if (event === 'plan.made') return;
    this.#told.add(`${folder}\n${uid}`);
    if (plan === 'leave') this.#left.push(left(folder, uid, why));
    else planned[plan ?? 'carry']++;
    if (plan === 'carry') planned.bytes += bytes;
  }

  end(journal: RouteJournal, failures: SweepResult['failures']): Told {
    const lines = ['this is a dry run: nothing was changed.'];
    for (const [folder, { dest, carry, bytes, retire }] of this.#folders) {
      const there = retire > 0 ? `, ${counted(retire)} there already and not sent again` : '';
      lines.push(
        `${folder} → ${dest}: ${counted(carry)} (${size(bytes)}) would be carried${there}; the originals would ${this.#after}.`,
      );
    }
    for (const { folder, failure } of failures) {
      lines.push(`${folder ?? 'the route'} would not be carried through: ${failure.message}`);
    }
    const resting = journal
      .aside()
      .filter(({ folder, uid }) => !this.#told.has(`${folder}\n${uid}`))
      .map(({ folder, uid, why }) => left(folder, uid, why));
    lines.push(...this.#left, ...resting);
    return { lines, whole: failures.length + this.#left.length + resting.length === 0 };
  }
}

function left(folder: string, uid: number | undefined, why = 'not known why'): string {
  return `the message with UID ${uid} in ${folder} would stay: ${why}`;
}

function retired(after: AfterDelivery): string {
  switch (after.kind) {
    case 'expunge':
      return 'be expunged';
    case 'mark':
      return 'be marked \\Deleted';
    case 'keep':
      return 'stay where they are';
    case 'move':
      return `be moved to ${after.folder}`;
  }
}

function counted(count: number): string {
  return `${count} message${count === 1 ? '' : 's'}`;
}
