/** A translation as text: the `.env`, and what is to be said about it. */
import type { Told } from './told.ts';

const WIDTH = 80;

/** A value as dotenv reads it back. Quotation marks only where they are needed: not every reader takes them off. */
export function envLine(name: string, value: string): string {
  if (/^[^\s#"'`\\$](?:[^#"'`\\$\r\n]*[^\s#"'`\\$])?$|^$/.test(value)) return `${name}=${value}`;
  const mark = ["'", '"', '`'].find(
    (each) => !value.includes(each) && (each !== '"' || !/[\\$]/.test(value)),
  );
  return mark === undefined ? `${name}=${value}` : `${name}=${mark}${value}${mark}`;
}

const ORDER = [
  /_HOST$/,
  /_PORT$/,
  /_TLS$/,
  /_(?:CA_FILE|TLS_NAME|TLS_FINGERPRINT)$/,
  /_USER$/,
  /_AUTH$/,
  /_PASSWORD_FILE$/,
];

/** The lines of a `.env`. @param prefix a route's name with `_`, where there are several routes */
export function envLines({ settings }: Told, prefix = ''): string[] {
  const rank = ([name]: [string, string]) => {
    const side = ['SOURCE', 'DEST'].findIndex((each) => name.startsWith(each));
    if (side < 0) return 100;
    return side * 20 + ORDER.findIndex((each) => each.test(name));
  };
  return [...settings]
    .sort((a, b) => rank(a) - rank(b))
    .map(([name, value]) => envLine(`${prefix}${name}`, value));
}

/** What a person has to know about a translation, at 80 columns. */
export function comments(told: Told): string[] {
  const parts: [title: string, sentences: readonly string[]][] = [
    ['TO BE FILLED IN, only you can know it:', told.gaps.map(({ of, why }) => `${of}: ${why}`)],
    ['imapsync itself would not take this:', told.wrong],
    ['NOT DONE, it deletes:', told.deletes],
    ['MORE MAIL than imapsync would carry, because this has no counterpart:', told.more],
    ['OTHER FOLDERS at the destination than those of imapsync:', told.elsewhere],
    ['Only to look:', [...told.looks, ...told.tries]],
    ['No counterpart:', told.missing],
    ['Taken to be meant:', told.assumed],
    ['Different from imapsync:', told.different],
    ['Nothing has to be done about:', told.needless.length > 0 ? [told.needless.join(', ')] : []],
    ['Before you start:', told.steps],
  ];
  return parts.flatMap(([title, sentences]) =>
    sentences.length === 0
      ? []
      : ['', title, ...[...new Set(sentences)].flatMap((sentence) => wrapped(sentence))],
  );
}

function wrapped(sentence: string): string[] {
  const lines: string[] = [];
  let line = '  -';
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
