/** A message of one plain text part, read as a mail program reads it (RFC 5322, RFC 2045). */

export interface Parsed {
  /** By names in lower case. */
  readonly header: ReadonlyMap<string, string>;
  /** Decoded, with LF line ends. */
  readonly text: string;
}

/** Throws where it is no such message: every line has to end in CRLF, and no header may stand twice. */
export function parsed(bytes: Buffer): Parsed {
  const raw = bytes.toString('latin1');
  if (/[^\r]\n|\r[^\n]/.test(raw)) throw new Error('a line does not end in CRLF');
  const end = raw.indexOf('\r\n\r\n');
  const header = new Map<string, string>();
  for (const field of raw.slice(0, end).split(/\r\n(?![ \t])/)) {
    const [, name = '', value = ''] = /^([!-9;-~]+): (.*)$/s.exec(field) ?? [];
    if (name === '') throw new Error(`no header field: ${field}`);
    if (header.has(name.toLowerCase())) throw new Error(`${name} stands twice`);
    header.set(name.toLowerCase(), value.replaceAll('\r\n', ''));
  }
  const type = header.get('content-type');
  if (!/^text\/plain; charset=utf-8$/i.test(type ?? '')) throw new Error(`it is ${type}`);
  const body = raw.slice(end + 4).replaceAll('\r\n', '\n');
  const encoding = header.get('content-transfer-encoding');
  return { header, text: decoded(body, encoding) };
}

function decoded(body: string, encoding: string | undefined): string {
  if (encoding === '7bit') return body;
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') throw new Error(`it is in ${encoding}`);
  const octets = body
    .replaceAll(/=\n/g, '')
    .replaceAll(/=([\dA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(octets, 'latin1').toString();
}
