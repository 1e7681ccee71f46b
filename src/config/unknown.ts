/**
 * Variables that look like ours and are not: a mistyped name would else be ignored in silence. A .env file is ours, so
 * there much looks alike; the environment holds what every other program wants, so there only what can hardly be
 * anything else.
 */
import { distance, isNear } from './likeness.ts';
import type { Mistake } from './mistakes.ts';
import { prefixOf } from './route-names.ts';
import { ENVIRONMENT, type Settings } from './settings.ts';
import { ROUTE_VARIABLES, VARIABLES } from './variables.ts';

/** Shorter names resemble those of other programs by chance. */
const LONG = 10;

/** Words of other programs for ours. */
const OTHER_WORDS: readonly (readonly [other: RegExp, ours: string])[] = [
  [/^(?:DESTINATION|DST|TARGET)_/, 'DEST_'],
  [/^(?:SRC|ORIGIN)_/, 'SOURCE_'],
  [/^(SOURCE|DEST)_(?:IMAP_)?(?:HOSTNAME|SERVER)$/, '$1_HOST'],
  [/^(SOURCE|DEST)_(?:USERNAME|LOGIN|EMAIL)$/, '$1_USER'],
  [/^(SOURCE|DEST)_(?:PASS|PASSWD|PWD|SECRET|TOKEN)$/, '$1_PASSWORD'],
  [/^(SOURCE|DEST)_(?:SSL|SECURITY|STARTTLS)$/, '$1_TLS'],
];

/**
 * One mistake for each unknown variable that was probably meant for imapferry.
 * @param routes the names in ROUTES
 */
export function unknownNames({ set }: Settings, routes: readonly string[]): Mistake[] {
  return [...set].flatMap(([name, { where }]) => {
    const strict = where !== ENVIRONMENT;
    const prefixes = routes.map(prefixOf).filter((each) => name.startsWith(each));
    const isRoutes = prefixes.some((each) => ROUTE_VARIABLES.has(name.slice(each.length)));
    if (VARIABLES.has(name) || isRoutes) return [];
    const [prefix = ''] = prefixes.toSorted((a, b) => b.length - a.length);
    const rest = name.slice(prefix.length);
    const mistake = (wrong: string, example: string) => [{ variable: name, where, wrong, example }];
    if (prefix !== '' && VARIABLES.has(rest))
      return mistake(
        `is no variable of a route: ${rest} holds for all of imapferry`,
        `${rest}=${VARIABLES.get(rest)?.example}`,
      );
    const meant = strict ? meantInFile(rest) : meantInEnvironment(rest);
    if (meant !== undefined)
      return mistake(
        `is no variable of imapferry; probably ${prefix}${meant} was meant`,
        `${prefix}${meant}=${VARIABLES.get(meant)?.example}`,
      );
    const other = /^([A-Z][A-Z0-9_]*?)_(?:SOURCE|DEST)_/.exec(rest)?.[1];
    if (strict && other !== undefined)
      return mistake(
        `is no variable of imapferry: ROUTES names no route ${other.toLowerCase()}`,
        `ROUTES=${[...routes, other.toLowerCase()].join(',')}`,
      );
    if (strict && /^(?:SOURCE|DEST)_/.test(rest))
      return mistake('is no variable of imapferry', 'SOURCE_HOST=imap.example.org');
    return [];
  });
}

function meantInFile(name: string): string | undefined {
  const ours = inOurWords(name.toUpperCase().replaceAll(/[.-]/g, '_'));
  return VARIABLES.has(ours) ? ours : (nearest(ours) ?? longer(ours));
}

function meantInEnvironment(name: string): string | undefined {
  if (/^(?:SOURCE|DEST)_/.test(name)) {
    const ours = inOurWords(name);
    return VARIABLES.has(ours) ? ours : nearest(ours);
  }
  return nearest(
    name,
    [...VARIABLES.keys()].filter((known) => known.length >= LONG),
    2,
  );
}

function inOurWords(name: string): string {
  return OTHER_WORDS.reduce((each, [other, ours]) => each.replace(other, ours), name);
}

/** The known name that this is most probably a slip of the pen for. */
function nearest(
  name: string,
  among: Iterable<string> = VARIABLES.keys(),
  most = Infinity,
): string | undefined {
  return [...among]
    .filter((known) => resembles(name, known) && distance(name, known) <= most)
    .sort((a, b) => distance(name, a) - distance(name, b))[0];
}

/** Word by word, so that SMTP_PASSWORD is not taken for HTTP_PASSWORD; or but for the `_` the same. */
function resembles(name: string, known: string): boolean {
  const [words, knownWords] = [name.split('_'), known.split('_')];
  if (words.length !== knownWords.length)
    return name.replaceAll('_', '') === known.replaceAll('_', '');
  return knownWords.every((word, i) => isNear(words[i] ?? '', word));
}

/** SWEEP_INTERVAL_SECONDS, IDLE_RENEWAL. */
function longer(name: string): string | undefined {
  return [...VARIABLES.keys()].find((known) => known.length >= LONG && name.startsWith(known));
}
