/** Folder names as imapsync wants them, in modified UTF-7 (RFC 3501 §5.1.3), made readable. */

/** Whether a name is written as servers list it, and imapsync looks for it. */
export function isCoded(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name) && /^(?:[^&]|&[A-Za-z\d+,]*-)*$/.test(name);
}

/** A name that is no modified UTF-7 stays as it is: some type what they see. */
export function decoded(name: string): string {
  if (!isCoded(name)) return name;
  return name.replaceAll(/&([A-Za-z\d+,]*)-/g, (_, coded: string) => {
    if (coded === '') return '&';
    const bytes = Buffer.from(coded.replaceAll(',', '/'), 'base64');
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}
