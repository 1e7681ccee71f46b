/** Passwords and access tokens: from a value, a file or a command, fresh at each login, and never shown. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { readTextFile } from './file.ts';
import { Unusable } from './mistakes.ts';
import { isQuoted } from './values.ts';

/** Where the secret of an account comes from. `variable` is the name of the variable that says so. */
export type SecretSource =
  | { readonly from: 'value'; readonly variable: string; readonly value: string }
  | { readonly from: 'file'; readonly variable: string; readonly path: string }
  | { readonly from: 'command'; readonly variable: string; readonly words: readonly string[] };

/** How long a command may take. */
const COMMAND_LIMIT = 30_000;

/**
 * Obtains the secret anew at each call: a file is read again, a command run again. The function rejects with a Failure
 * (step `login`, scope `account`; lasting for a file) that names the variable, and shows nothing of the secret or the
 * command.
 */
export function secretReader(source: SecretSource, limit = COMMAND_LIMIT): () => Promise<string> {
  switch (source.from) {
    case 'value':
      return async () => source.value;
    case 'file':
      return async () => {
        const secret = secretFile(source.path);
        if ('wrong' in secret) throw unavailable(`${source.variable} ${secret.wrong}.`, true);
        return secret.text;
      };
    case 'command':
      return () => firstLine(source.variable, source.words, limit);
  }
}

/** The secret in a file, without one trailing newline; what is odd about it; or why there is none. */
export function secretFile(
  path: string,
): { readonly text: string; readonly doubts: readonly string[] } | { readonly wrong: string } {
  const file = readTextFile(path);
  if ('wrong' in file) return file;
  const text = file.text.replace(/\r?\n$/, '');
  if (text === '') return { wrong: `names ${path}, which is empty` };
  const doubts =
    file.exposed === undefined
      ? []
      : [`names ${path}, which other users may read. This mends it: ${file.exposed}`];
  const odd = oddity(text);
  return { text, doubts: odd === undefined ? doubts : [...doubts, `names ${path}, which ${odd}`] };
}

/** What makes a secret look mistaken, or `undefined`. Goes on after a variable's name or `which`. */
export function oddity(secret: string): string | undefined {
  if (isQuoted(secret)) return 'still wears its quotation marks, which are taken as part of it';
  if (/[\r\n]/.test(secret)) return 'holds more than one line';
  if (secret.includes('\uFFFD')) return 'is not written in UTF-8, as servers expect';
  if (secret !== secret.trim()) return 'begins or ends with white space';
  return undefined;
}

/**
 * Splits a command into words as a shell does, without anything else of a shell: single quotation marks take all as it
 * is, double ones all but `\"` and `\\`, a `\` outside takes the next character as it is.
 * @throws Unusable where a quotation mark is left open or there is no word
 */
export function splitWords(command: string): string[] {
  const word = /\s*((?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)\s*/sy;
  const words: string[] = [];
  while (word.lastIndex < command.length) {
    const found = word.exec(command)?.[1];
    if (found === undefined)
      throw new Unusable('leaves a quotation mark open, or ends with a backslash');
    words.push(
      found.replace(
        /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"/gs,
        (_, char, single, double) => char ?? single ?? double.replace(/\\(["\\])/g, '$1'),
      ),
    );
  }
  return words;
}

/** Whether a command's first word is a program that can be started. @param path the variable PATH */
export function canStart(program: string, path = ''): boolean {
  const files = program.includes('/')
    ? [program]
    : path.split(delimiter).map((folder) => join(folder, program));
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

function firstLine(variable: string, words: readonly string[], limit: number): Promise<string> {
  const [program = '', ...args] = words;
  return new Promise((resolve, reject) => {
    // The error holds the command line and what the command printed: neither goes further, not even as a cause.
    const child = execFile(
      program,
      args,
      { timeout: limit, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 },
      (error, output) => {
        const line = output.split(/\r?\n/, 1)[0] ?? '';
        if (error)
          reject(unavailable(`The command of ${variable} ${commandFailure(error, limit)}.`));
        else if (line === '')
          reject(unavailable(`The command of ${variable} printed nothing on its first line.`));
        else resolve(line);
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end();
  });
}

function commandFailure(
  { code, killed }: { code?: string | number | null; killed?: boolean },
  limit: number,
): string {
  if (killed && code !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `did not end within ${limit / 1000} s and was stopped`;
  if (code === 'ENOENT') return 'was not found';
  if (code === 'EACCES') return 'may not be run by this user';
  return typeof code === 'number' ? `ended with exit code ${code}` : `failed (${code ?? 'signal'})`;
}

/** A file that can't be read needs a person; a command may do better next time. Both are tried again. */
function unavailable(sentence: string, lasting = false): Failure {
  return new Failure(
    `${sentence} Without it imapferry can't log in; mail stays where it is, and it is tried again.`,
    { step: 'login', scope: 'account', lasting },
  );
}
