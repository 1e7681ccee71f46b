/** Patterns of folder names as in LIST (RFC 9051 §6.3.9). Pure. */

/**
 * Whether a pattern means a name: `*` stands for anything, `%` for anything but the separator (for anything where that is
 * empty). Takes as long as the pattern times the name is long, whatever is in them: a server decides how names are.
 */
export function matches(pattern: string, name: string, separator = ''): boolean {
  // What of the name, by its length, the part of the pattern that was read so far may have used up.
  let used: readonly boolean[] = Array.from({ length: name.length + 1 }, (_, i) => i === 0);
  for (const part of pattern.replace(/\*+/g, '*').split('')) {
    if (part === '*') used = stretched(used, () => true);
    else if (part === '%') used = stretched(used, (i) => name[i] !== separator);
    else used = used.map((_, i) => i > 0 && used[i - 1] === true && name[i - 1] === part);
  }
  return used.at(-1) === true;
}

/** Also what comes after, for as long as characters may be passed over. */
function stretched(used: readonly boolean[], passes: (at: number) => boolean): boolean[] {
  let on = false;
  return used.map((before, i) => {
    on = before || (on && passes(i - 1));
    return on;
  });
}
