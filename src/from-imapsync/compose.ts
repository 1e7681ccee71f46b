/** Reads from a compose file what its services run: `entrypoint` and `command`, in each form that YAML has for them. */
import { readShell } from './shell.ts';
import { type Part, type Script, withVariables } from './words.ts';

const KEY = /^([ \t]*)(?:- )?["']?(image|entrypoint|command)["']?[ \t]*:(?:[ \t]+(.*))?$/;

/** Whether a text is a compose file, or a part of one. */
export function isCompose(text: string): boolean {
  return /^[ \t]*(?:command|entrypoint)[ \t]*:/m.test(text) || /^services[ \t]*:/m.test(text);
}

/** Each service's command line; the image stands in front where it alone names the program. */
export function readCompose(text: string): Script {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const services: { indent: number; image: Part[][]; entrypoint: Part[][]; command: Part[][] }[] =
    [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const indent = indentOf(line);
    const [matched, , key = '', value = ''] = KEY.exec(line) ?? [];
    const last = services.at(-1);
    if (matched === undefined) {
      if (last && line.trim() !== '' && indent < last.indent)
        last.indent = Number.POSITIVE_INFINITY;
      continue;
    }
    const open = last?.indent === indent ? last : undefined;
    const service = open ?? { indent, image: [], entrypoint: [], command: [] };
    if (!open) services.push(service);
    const block: string[] = [];
    const deeper = (next: string | undefined) =>
      next !== undefined &&
      (next.trim() === '' ||
        indentOf(next) > indent ||
        (indentOf(next) === indent && /^\s*- /.test(next)));
    while (deeper(lines[i + 1])) block.push(lines[++i] ?? '');
    service[key as 'image' | 'entrypoint' | 'command'] = wordsOf(value, block);
  }
  const commands = services.map(({ image, entrypoint, command }) => [
    ...image,
    ...entrypoint,
    ...command,
  ]);
  return { commands, variables: new Map() };
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function wordsOf(value: string, block: readonly string[]): Part[][] {
  const text = value.replace(/(?:^|\s+)#.*$/, '').trim();
  const lines = block.filter((line) => !/^\s*(?:#.*)?$/.test(line)).map((line) => line.trim());
  if (/^[>|]/.test(text)) return split(lines.join(text.startsWith('|') ? '\n' : ' '));
  const whole = [text, ...lines].join(' ').trim();
  if (whole.startsWith('[')) return flowList(whole).map((each) => withVariables(dollars(each)));
  if (text === '' && lines.every((line) => line.startsWith('- ')))
    return lines.map((line) => withVariables(dollars(scalar(line.slice(2)))));
  return split(scalar(whole));
}

/** A plain line is split as a shell splits it. */
function split(text: string): Part[][] {
  return readShell(dollars(text).replaceAll(/\\?\n/g, ' ')).commands.flatMap((words) =>
    words.map((word) => [...word]),
  );
}

function dollars(text: string): string {
  return text.replaceAll('$$', '$');
}

function flowList(text: string): string[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^[\],\s][^,\]]*/g)].map(([each]) =>
    scalar(each.trim()),
  );
}

/** A scalar of one line, without its quotation marks and a comment behind it. */
function scalar(text: string): string {
  const [, double, single] =
    /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')\s*(?:#.*)?$/s.exec(text) ?? [];
  if (double !== undefined) return double.replaceAll(/\\(.)/gs, '$1');
  if (single !== undefined) return single.replaceAll("''", "'");
  return text.replace(/\s+#.*$/, '').trim();
}
