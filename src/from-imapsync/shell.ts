/** Reads a shell script, or a line of a crontab, as commands of words. It runs nothing and knows no more than it needs. */
import type { Part, Script, Variables } from './words.ts';

type Value = readonly Part[] | readonly (readonly Part[])[] | 'several';

/** Words in front of which an assignment still is one. */
const DECLARE = /^(?:export|local|readonly|declare|typeset|-\w+)$/;

/** The commands of a script and the variables that it assigns. @param inherited variables that are known before it */
export function readShell(script: string, inherited: Variables = new Map()): Script {
  const reader = new Reader(script.replaceAll('\r\n', '\n'), new Map(inherited));
  reader.read();
  return { commands: reader.commands, variables: reader.variables };
}

class Reader {
  readonly commands: (readonly Part[])[][] = [];
  readonly variables: Map<string, Value>;
  readonly #text: string;
  #at = 0;
  #words: (readonly Part[])[] = [];
  #endings: { mark: string; indented: boolean }[] = [];

  constructor(text: string, variables: Map<string, Value>) {
    this.#text = text;
    this.variables = variables;
  }

  read(): void {
    while (this.#at < this.#text.length) this.#step();
    this.#end();
  }

  #step(): void {
    const rest = this.#text.slice(this.#at, this.#at + 3);
    if (rest.startsWith('\\\n')) this.#at += 2;
    else if (/^[ \t]/.test(rest)) this.#at++;
    else if (rest.startsWith('#')) this.#skipTo('\n');
    else if (rest.startsWith('\n')) {
      this.#at++;
      this.#end();
      for (const ending of this.#endings.splice(0)) this.#skipHereDocument(ending);
    } else if (/^<<-?/.test(rest) && !rest.startsWith('<<<')) this.#hereDocument();
    else if (/^[<>]\(/.test(rest)) this.#words.push(this.#word());
    else if (/^\d?[<>]/.test(rest)) this.#redirection();
    else if (/^[;&|(){}]/.test(rest) && !/^\{\S/.test(rest)) {
      this.#at++;
      this.#end();
    } else this.#take(this.#word());
  }

  #take(word: readonly Part[]): void {
    if (word.length > 0) this.#words.push(word);
    else this.#at++;
  }

  /** Ends a command: assignments in front of it are noted, and so is what a loop or `read` changes. */
  #end(): void {
    const words = this.#words;
    this.#words = [];
    let first = 0;
    while (
      first < words.length &&
      (this.#assigns(words[first]) || DECLARE.test(textOf(words[first])))
    )
      first++;
    const [command, ...args] = words.slice(first).map(textOf);
    if (command === 'for' && args[0] !== undefined) this.variables.set(args[0], 'several');
    const read = words.map(textOf).indexOf('read');
    if (read >= 0)
      for (const word of words.slice(read + 1)) this.variables.set(textOf(word), 'several');
    if (words.length > first) this.commands.push(words.slice(first));
  }

  #assigns(word: readonly Part[] = []): boolean {
    const [head, ...rest] = word;
    const [matched, name = ''] = (head?.kind === 'text' && /^(\w+)=/.exec(head.text)) || [];
    if (head?.kind !== 'text' || matched === undefined) return false;
    const value: readonly Part[] = [
      { kind: 'text', text: head.text.slice(matched.length) },
      ...rest,
    ];
    const before = this.variables.get(name);
    const same = before === undefined || JSON.stringify(before) === JSON.stringify(value);
    this.variables.set(name, same ? value : 'several');
    return true;
  }

  #word(): Part[] {
    const parts: Part[] = [];
    let text = '';
    let some = false;
    const flush = () => {
      if (text !== '') parts.push({ kind: 'text', text });
      text = '';
    };
    const expand = (quoted: boolean) => {
      const part = this.#expansion(quoted);
      if (part.kind === 'text') text += part.text;
      else {
        flush();
        parts.push(part);
      }
    };
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      const array = char === '(' && /^(\w+)(\+?)=$/.exec(text);
      if (array && parts.length === 0) {
        this.#array(array[1] ?? '', array[2] === '+');
        return [{ kind: 'text', text: ':' }];
      }
      if (/^[<>]\(/.test(this.#text.slice(this.#at, this.#at + 2))) {
        flush();
        this.#at++;
        this.#skipNested('(', ')');
        parts.push({ kind: 'output' });
      } else if (/[\s;&|()<>]/.test(char)) break;
      else if (char === '\\') {
        if (this.#text[this.#at + 1] !== '\n') text += this.#text[this.#at + 1] ?? '';
        this.#at += 2;
      } else if (char === "'") {
        const end = this.#find("'", this.#at + 1);
        text += this.#text.slice(this.#at + 1, end);
        this.#at = end + 1;
        some = true;
      } else if (char === '"') {
        some = true;
        this.#at++;
        while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
          const inner = this.#text[this.#at] ?? '';
          const next = this.#text[this.#at + 1] ?? '';
          if (inner === '\\' && /[$`"\\\n]/.test(next)) {
            if (next !== '\n') text += next;
            this.#at += 2;
          } else if (inner === '$' || inner === '`') expand(true);
          else {
            text += inner;
            this.#at++;
          }
        }
        this.#at++;
      } else if (char === '$' || char === '`') expand(false);
      else {
        text += char;
        this.#at++;
      }
    }
    flush();
    if (parts.length === 0 && some) parts.push({ kind: 'text', text: '' });
    return parts;
  }

  /** What begins with `$` or a backtick. What stands within `${…}` behind the name is not looked at. */
  #expansion(quoted: boolean): Part {
    if (this.#text[this.#at] === '`') {
      this.#at = this.#find('`', this.#at + 1) + 1;
      return { kind: 'output' };
    }
    this.#at++;
    const rest = this.#text.slice(this.#at, this.#at + 200);
    if (rest.startsWith('(')) {
      this.#skipNested('(', ')');
      return { kind: 'output' };
    }
    if (rest.startsWith('{')) {
      const [, name = '', tail = ''] = /^\{[!#]?(\w+|[@*])(.?.?.?)/s.exec(rest) ?? [];
      this.#skipNested('{', '}');
      if (/^\[[@*]\]/.test(tail)) return { kind: 'array', name };
      return { kind: 'variable', name: tail.startsWith('}') ? name : `{${name}…}`, quoted };
    }
    const name = /^(?:[A-Za-z_]\w*|[\d@*#?$!-])/.exec(rest)?.[0];
    if (name === undefined) return { kind: 'text', text: '$' };
    this.#at += name.length;
    return { kind: 'variable', name, quoted };
  }

  #array(name: string, more: boolean): void {
    const elements: (readonly Part[])[] = [];
    this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ')') {
      const char = this.#text[this.#at] ?? '';
      if (char === '#') this.#skipTo('\n');
      else if (/\s/.test(char)) this.#at++;
      else if (this.#text.startsWith('\\\n', this.#at)) this.#at += 2;
      else {
        const before = this.#at;
        const word = this.#word();
        if (word.length > 0) elements.push(word);
        if (this.#at === before) this.#at++;
      }
    }
    this.#at++;
    const before = this.variables.get(name);
    const kept = more && Array.isArray(before) && Array.isArray(before[0]) ? before : [];
    this.variables.set(name, [...(kept as (readonly Part[])[]), ...elements]);
  }

  #redirection(): void {
    this.#at += /^\d?[<>]+&?/.exec(this.#text.slice(this.#at, this.#at + 6))?.[0].length ?? 1;
    while (/[ \t]/.test(this.#text[this.#at] ?? '')) this.#at++;
    this.#word();
  }

  #hereDocument(): void {
    const [matched = '', dash = ''] = /^<<(-?)[ \t]*/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += matched.length;
    const mark = textOf(this.#word());
    this.#endings.push({ mark, indented: dash === '-' });
  }

  #skipHereDocument({ mark, indented }: { mark: string; indented: boolean }): void {
    while (this.#at < this.#text.length) {
      const end = this.#find('\n', this.#at);
      const line = this.#text.slice(this.#at, end);
      this.#at = end + 1;
      if ((indented ? line.replace(/^\t+/, '') : line) === mark) return;
    }
  }

  /** Passes over what stands within brackets; what a quotation mark holds opens and closes none. */
  #skipNested(open: string, close: string): void {
    let depth = 0;
    let quote = '';
    do {
      const char = this.#text[this.#at] ?? '';
      if (char === '\\' && quote !== "'") this.#at++;
      else if (quote !== '') quote = char === quote ? '' : quote;
      else if (char === "'" || char === '"') quote = char;
      else if (char === open) depth++;
      else if (char === close) depth--;
      this.#at++;
    } while (depth > 0 && this.#at < this.#text.length);
  }

  #skipTo(mark: string): void {
    this.#at = this.#find(mark, this.#at);
  }

  #find(mark: string, from: number): number {
    const found = this.#text.indexOf(mark, from);
    return found < 0 ? this.#text.length : found;
  }
}

function textOf(word: readonly Part[] = []): string {
  return word.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
