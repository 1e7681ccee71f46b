/** The words of a command line, and what of them can't be known without running the script. */

/** A piece of a word as it was written. What a command prints is never known, and never shown. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean }
  | { readonly kind: 'array'; readonly name: string }
  | { readonly kind: 'output' };

/** A word as the program would see it; `unknown` names what its text lacks, such as `$HOST1`. */
export interface Word {
  readonly text: string;
  readonly unknown: readonly string[];
}

/** What is assigned in the same file: a text, the words of an array, or `several` where it changes on the way. */
export type Variables = ReadonlyMap<
  string,
  readonly Part[] | readonly (readonly Part[])[] | 'several'
>;

/** Commands as lists of unresolved words, and the variables that they may use. */
export interface Script {
  readonly commands: readonly (readonly (readonly Part[])[])[];
  readonly variables: Variables;
}

const OUTPUT = 'what a command prints';

/** Variables may name each other; deeper than this they name themselves. */
const DEPTH = 8;

/** The words that a written word becomes: an unquoted variable falls apart at white space, an array at its elements. */
export function resolve(parts: readonly Part[], variables: Variables, depth = 0): Word[] {
  const words: { text: string; unknown: string[] }[] = [];
  let open: { text: string; unknown: string[] } | undefined;
  const current = () => {
    if (open === undefined) {
      open = { text: '', unknown: [] };
      words.push(open);
    }
    return open;
  };
  for (const part of parts) {
    if (part.kind === 'text') current().text += part.text;
    else if (part.kind === 'output') current().unknown.push(OUTPUT);
    else {
      const value = depth < DEPTH ? variables.get(part.name) : undefined;
      if (value === undefined || value === 'several')
        current().unknown.push(part.name.startsWith('%') ? part.name : `$${part.name}`);
      else if (part.kind === 'array') {
        for (const word of elements(value).flatMap((each) => resolve(each, variables, depth + 1)))
          words.push({ text: word.text, unknown: [...word.unknown] });
        open = undefined;
      } else {
        const word = joined(elements(value)[0] ?? [], variables, depth + 1);
        const fields = part.quoted ? [word.text] : word.text.split(/[ \t\n]+/);
        for (const [i, field] of fields.entries()) {
          if (i > 0) open = undefined;
          if (field !== '' || part.quoted || word.unknown.length > 0) current().text += field;
        }
        if (word.unknown.length > 0) current().unknown.push(...word.unknown);
      }
    }
  }
  return words;
}

/** One word without falling apart, as in an assignment. */
function joined(parts: readonly Part[], variables: Variables, depth: number): Word {
  const quoted = parts.map((part) => (part.kind === 'variable' ? { ...part, quoted: true } : part));
  const words = resolve(quoted, variables, depth);
  return {
    text: words.map(({ text }) => text).join(' '),
    unknown: words.flatMap(({ unknown }) => unknown),
  };
}

/** A text is an array of one element, as in a shell. */
function elements(value: readonly Part[] | readonly (readonly Part[])[]): (readonly Part[])[] {
  const list: readonly (Part | readonly Part[])[] = value;
  const text = list.filter((each): each is Part => 'kind' in each);
  const words = list.filter((each): each is readonly Part[] => !('kind' in each));
  return text.length > 0 ? [text] : words;
}

/** The shell source of a word that is itself a script (`sh -c "…"`), with its variables in place. */
export function sourceOf(parts: readonly Part[]): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'output') return '$(…)';
      return part.kind === 'array' ? `"\${${part.name}[@]}"` : `\${${part.name}}`;
    })
    .join('');
}

/** A text in which `$NAME` and `${NAME}` stand for variables, as systemd and compose files have it. */
export function withVariables(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const found of text.matchAll(/\$(?:(\w+)|\{(\w+)[^}]*\})/g)) {
    if (found.index > at) parts.push({ kind: 'text', text: text.slice(at, found.index) });
    parts.push({ kind: 'variable', name: found[1] ?? found[2] ?? '', quoted: true });
    at = found.index + found[0].length;
  }
  if (at < text.length || parts.length === 0) parts.push({ kind: 'text', text: text.slice(at) });
  return parts;
}
