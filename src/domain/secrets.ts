/**
 * Keeps passwords and tokens out of what is told and noted. A server may repeat anything it was sent, in any answer and
 * long after the login; so every secret that is used is known here, and its forms are taken out of a server's words.
 */

/** Tokens are renewed every hour or so: an old one is forgotten when this many newer ones have been used. */
const MOST = 32;

/** Shorter words would be found everywhere. */
const SHORTEST = 4;
const SHORTEST_CODED = 6;

const known = new Map<string, readonly string[]>();

/** To be called with each secret before it is sent. */
export function rememberSecret(secret: string): void {
  if (secret.length < SHORTEST) return;
  known.delete(secret);
  known.set(secret, formsOf(secret));
  if (known.size > MOST) known.delete(known.keys().next().value as string);
}

/** The text with every form of every known secret replaced by `(hidden)`. */
export function withoutSecrets(text: string): string {
  let shown = text;
  for (const forms of known.values()) {
    for (const form of forms) shown = shown.replaceAll(form, '(hidden)');
  }
  return shown;
}

/** As it is, as an IMAP or JSON string quotes it, as a URL holds it, and as base64 of anything that holds it. */
function formsOf(secret: string): string[] {
  const plain = [
    secret,
    secret.replace(/["\\]/g, '\\$&'),
    encodeURIComponent(secret.toWellFormed()),
  ];
  const coded =
    secret.length < SHORTEST_CODED ? [] : [0, 1, 2].map((before) => inBase64(secret, before));
  return [...new Set([...plain, ...coded])].sort((a, b) => b.length - a.length);
}

/** The characters of a base64 text that only the secret decides, where `before` bytes (modulo 3) stand in front of it. */
function inBase64(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const from = Math.ceil((before * 8) / 6);
  return bytes.toString('base64').slice(from, Math.floor((bytes.length * 8) / 6));
}
