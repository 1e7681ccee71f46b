/** Reads a systemd unit: the commands of its Exec lines and the variables that it sets (systemd.service(5), systemd.exec(5)). */
import { type Part, type Script, withVariables } from './words.ts';

const WORD = /\s*((?:[^\s'"\\]|\\.|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")+)/sy;

/** Whether a text is a unit that starts something. */
export function isUnit(text: string): boolean {
  return /^\s*Exec\w+\s*=/m.test(text);
}

export function readUnit(text: string): Script {
  const commands: Part[][][] = [];
  const variables = new Map<string, readonly Part[]>();
  for (const [, name = '', value = ''] of withoutBreaks(text).matchAll(
    /^[ \t]*(\w+)[ \t]*=(.*)$/gm,
  )) {
    if (/^Exec/.test(name)) commands.push(words(value.replace(/^[ \t]*[@:+!-]*/, '')).map(parts));
    if (name === 'Environment')
      for (const assignment of words(value)) {
        const [, variable = '', content = ''] = /^(\w+)=(.*)$/s.exec(assignment) ?? [];
        variables.set(variable, [{ kind: 'text', text: content.replaceAll('%%', '%') }]);
      }
  }
  return { commands, variables };
}

/** A line that ends with a backslash goes on; comment lines in between are passed over. */
function withoutBreaks(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/^[ \t]*[#;].*\n/gm, '')
    .replaceAll('\\\n', ' ');
}

function words(line: string): string[] {
  const found: string[] = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(line); match !== null; match = WORD.exec(line))
    found.push(
      (match[1] ?? '').replaceAll(
        /\\(.)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs,
        (_, char, single, double) => char ?? (single ?? double).replaceAll(/\\(.)/gs, '$1'),
      ),
    );
  return found;
}

/** `%i` and its like depend on the instance; `%%` and `$$` are the characters themselves. */
function parts(word: string): Part[] {
  return word.split(/(%%|%[A-Za-z]|\$\$)/).flatMap((piece): Part[] => {
    if (piece === '') return [];
    if (piece === '%%' || piece === '$$') return [{ kind: 'text', text: piece.slice(1) }];
    if (/^%[A-Za-z]$/.test(piece)) return [{ kind: 'variable', name: piece, quoted: true }];
    return withVariables(piece);
  });
}
