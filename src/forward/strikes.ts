/**
 * Tells a destination folder that takes nothing from messages that it does not take, where the server's words do not: one
 * message refused is that message's matter; three different ones in a row, with none stored between, are the folder's.
 */

const OUT = 3;

/** What has been refused in a row at one folder, and whom another message that was stored has shown to be the culprit. */
interface Row {
  readonly refused: Set<string>;
  readonly culprits: Set<string>;
}

export class Strikes {
  readonly #rows = new Map<string, Row>();

  /** The folder takes messages: whoever was refused before was so on his own account. */
  stored(folder: string): void {
    const row = this.#rows.get(folder);
    if (row === undefined) return;
    for (const original of row.refused) row.culprits.add(original);
    row.refused.clear();
  }

  /** @param original what names a message */
  refused(folder: string, original: string): void {
    const row = this.#rows.get(folder) ?? { refused: new Set(), culprits: new Set() };
    if (!row.culprits.has(original)) row.refused.add(original);
    this.#rows.set(folder, row);
  }

  /** Whether that message's refusal is the folder's matter. */
  out(folder: string, original: string): boolean {
    const refused = this.#rows.get(folder)?.refused;
    return refused?.has(original) === true && refused.size >= OUT;
  }
}
