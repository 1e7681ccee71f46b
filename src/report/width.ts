/** How wide text stands on a terminal, and text cut into lines of a width. Pure. */

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** What Unicode calls East Asian wide or fullwidth (UAX #11), by its blocks, and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
/** Combining marks and format characters that stand alone. */
const NO_WIDTH = /^[\p{M}\p{Cf}]+$/u;

/** Columns that a text takes, combining and wide characters counted as they are shown. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) columns += widthOf(segment);
  return columns;
}

function widthOf(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** The text followed, or preceded, by as many blanks as it lacks. */
export function padded(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, columns - width(text)));
  return side === 'left' ? text + blanks : blanks + text;
}

/** Cut into pieces of at most `columns`, wherever that is; every character stays. One piece at least. */
export function cut(text: string, columns: number): string[] {
  const pieces = [''];
  let taken = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const wide = widthOf(segment);
    if (taken + wide > columns && taken > 0) {
      pieces.push('');
      taken = 0;
    }
    pieces[pieces.length - 1] += segment;
    taken += wide;
  }
  return pieces;
}

/** Lines of at most `columns`, broken at blanks; a word that is longer is cut. Further lines begin with `indent`. */
export function wrapped(text: string, columns: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let empty = true;
  const room = columns - width(indent);
  for (const word of text.trim().split(' ')) {
    for (const piece of cut(word, room)) {
      const joint = empty ? '' : ' ';
      if (!empty && width(line) + 1 + width(piece) > columns) {
        lines.push(line);
        line = indent + piece;
      } else line += joint + piece;
      empty = false;
    }
  }
  return [...lines, line];
}
