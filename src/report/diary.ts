/** The log as a diary for people. The only pino-pretty, which is loaded only where somebody is to read. */
import { prettyFactory } from 'pino-pretty';
import type { EventFields } from '../domain/events.ts';
import { localDay, printable } from './sentences.ts';

/**
 * `12:45:03 INFO INBOX → INBOX, 12.3 KB in 0.4 s`, and behind it what names the message. Each day begins with a line of
 * its own: `Sat 2026-11-28`.
 */
export function diary(colorize: boolean): (line: string) => string[] {
  const entry = entries(colorize);
  let day = '';
  return (line) => {
    const today = dayOf(new Date());
    const heading = today === day ? [] : [`${today}\n`];
    day = today;
    return [...heading, entry(line)];
  };
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** By the clock of this machine, as the times in front of the lines are. */
function dayOf(date: Date): string {
  return `${WEEKDAYS[date.getDay()]} ${localDay(date)}`;
}

function entries(colorize: boolean): (line: string) => string {
  return prettyFactory({
    colorize,
    customColors: 'message:reset',
    useOnlyCustomProps: false,
    hideObject: true,
    errorLikeObjectKeys: [],
    translateTime: 'SYS:HH:MM:ss',
    customPrettifiers: { time: (time) => String(time) },
    messageFormat: (line, key, _level, { colors }) => {
      const { route, uid, messageId } = line as EventFields;
      const whose = route === undefined || route === 'default' ? '' : `${route}: `;
      const which = [uid === undefined ? '' : `UID ${uid}`, messageId ?? '']
        .filter(Boolean)
        .join(' ');
      const told = printable(`${whose}${String(line[key])}`);
      return which === '' ? told : `${told} ${colors.dim(printable(which))}`;
    },
  });
}
