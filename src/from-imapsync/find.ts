/** Finds the lines that start imapsync: in what was typed, in a systemd unit, a compose file, a script or a crontab. */
import { isCompose, readCompose } from './compose.ts';
import { readShell } from './shell.ts';
import { isUnit, readUnit } from './unit.ts';
import { type Part, resolve, type Script, sourceOf, type Word } from './words.ts';

/** The program's name at the end of a path, or the image's in front of a tag. */
const PROGRAM = /(?:^|[/\\])(?:docker-)?imapsync(?:_bin\w*|\.pl|\.exe)?(?::[\w.-]+)?$/i;

/** Options that only imapsync has: what stands in front of them is its program, not a container's name. */
const OURS = /^--?(?:host|user|password|passfile|port|ssl|tls|gmail|office|exchange)[12]\b/i;

/** How deep a command may hide in `sh -c "sh -c …"`. */
const DEPTH = 3;

/** imapsync's arguments in a command whose words are known to be as typed, or `undefined`. */
export function argumentsIn(words: readonly Word[]): Word[] | undefined {
  const own = words.findIndex(({ text }) => OURS.test(text));
  const programs = [...words.entries()]
    .filter(([, { text }]) => PROGRAM.test(text))
    .map(([i]) => i);
  const program = programs.findLast((i) => own < 0 || i < own) ?? programs[0];
  if (program !== undefined) return words.slice(program + 1);
  return own === 0 ? [...words] : undefined;
}

/** imapsync's arguments in each command of a text that starts it. */
export function linesIn(text: string): Word[][] {
  if (isUnit(text)) return linesOf(readUnit(text));
  if (isCompose(text)) return linesOf(readCompose(text));
  return linesOf(readShell(text));
}

function linesOf({ commands, variables }: Script, depth = 0): Word[][] {
  return commands.flatMap((command) => {
    const nested = command.filter((word) => /imapsync\s/.test(sourceOf(word)));
    if (nested.length > 0 && depth < DEPTH)
      return nested.flatMap((word) => linesOf(readShell(sourceOf(word), variables), depth + 1));
    const words = command.flatMap((word: readonly Part[]) => resolve(word, variables));
    const found = argumentsIn(words);
    const starts = found?.some(({ text, unknown }) => text.startsWith('-') || unknown.length > 0);
    return found && starts && !isTalk(words) ? [found] : [];
  });
}

/** `echo imapsync …`, `which imapsync`, `apt-get install imapsync` start nothing. */
function isTalk([first]: readonly Word[]): boolean {
  return /^(?:echo|printf|which|command|type|apt|apt-get|dnf|yum|brew|pkill|pgrep|man|\[+|test)$/.test(
    first?.text ?? '',
  );
}
