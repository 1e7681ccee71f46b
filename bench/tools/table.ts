/** Tables for people: for the terminal, and as Markdown. */
export type Row = readonly string[];

const NUMBER = /^[–<≥≤]?\s*-?[\d.,]+(?:\s|$|%)|^–$/;

/** Columns of one width; figures stand to the right. The first row is the head. */
export function table(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => [...(row[i] ?? '')].length)),
  );
  const right = figures(rows);
  const line = (row: Row) =>
    widths
      .map((width, i) => {
        const cell = row[i] ?? '';
        const space = ' '.repeat(width - [...cell].length);
        return right[i] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return rows.map((row) => `  ${line(row)}`).join('\n');
}

/** The same as a table of Markdown. */
export function markdown(rows: readonly Row[]): string {
  const [head = [], ...rest] = rows;
  const right = figures(rows);
  const line = (row: Row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, i) => (right[i] ? '---:' : '---')).join('|')}|`,
    ...rest.map(line),
  ].join('\n');
}

/** Which columns hold figures only. */
function figures([head = [], ...rest]: readonly Row[]): boolean[] {
  return head.map(
    (_, i) => rest.length > 0 && rest.every((row) => NUMBER.test(row[i] ?? '') || row[i] === ''),
  );
}
