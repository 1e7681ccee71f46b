/** How alike two words are: finds what was probably meant. */

/**
 * How many letters have to be put in, left out, changed or swapped with their neighbour to turn one word into the
 * other (optimal string alignment distance).
 */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? at(i - 2, j - 2) + 1
          : Infinity;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, changed, swapped));
    }
  }
  return at(a.length, b.length);
}

/** Whether a word is probably a slip of the pen for `meant`: one letter in three may be off, not the first one. */
export function isNear(word: string, meant: string): boolean {
  if (word[0] !== meant[0]) return false;
  return distance(word, meant) <= Math.max(1, Math.floor(meant.length / 3));
}
