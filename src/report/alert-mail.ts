/** An alert as a message. The only nodemailer, and of it only the part that builds messages: imapferry sends no mail. */
import { randomUUID } from 'node:crypto';
import type { Words } from './alert-text.ts';
import { printable } from './sentences.ts';

/** No mail can ever be sent to it, and nobody else can have it (RFC 6761 §6.4). */
const DOMAIN = 'imapferry.invalid';

/**
 * Builds the message: plain text, from the route's own name.
 * @param user the login name at the destination: whom it is addressed to, where it is an address
 */
export async function alertMail(
  { subject, text }: Words,
  { route, user, at }: { readonly route: string; readonly user: string; readonly at: Date },
): Promise<Buffer> {
  const name = route === 'default' ? 'imapferry' : `imapferry (${printable(route)})`;
  // Years may pass without an alert: until there is one, it takes no memory.
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const message = new MailComposer({
    from: { name, address: `no-reply@${DOMAIN}` },
    ...(isAddress(user) && { to: { name: '', address: user } }),
    subject,
    text,
    date: at,
    messageId: `<${randomUUID()}@${DOMAIN}>`,
    // RFC 3834 §5: nothing is to answer it by itself.
    headers: { 'Auto-Submitted': 'auto-generated' },
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return message.compile().build();
}

/** Whether a login name is a plain address. */
function isAddress(user: string): boolean {
  return /^[^\s@<>()[\]\\,;:"\p{Cc}]+@[^\s@<>()[\]\\,;:"\p{Cc}]+$/u.test(user);
}
