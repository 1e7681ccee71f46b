/** An account: where it is, how the connection is secured, who logs in, and where the password comes from. */
import { type Options, PREFIX, type Side, type Told, unknownIn } from './told.ts';

const GMAIL = 'imap.gmail.com';
const OFFICE = 'outlook.office365.com';

/** Adds an account's settings. A password that stands on the line goes nowhere. */
export function account(side: Side, options: Options, told: Told): void {
  where(side, options, told);
  security(side, options, told);
  login(side, options, told);
}

function where(side: Side, options: Options, told: Told): void {
  const prefix = PREFIX[side];
  const preset = options.switched(`gmail${side}`)
    ? GMAIL
    : options.switched(`office${side}`)
      ? OFFICE
      : undefined;
  const host = options.value(`host${side}`) ?? (preset && { text: preset, unknown: [] });
  needed(`${prefix}_HOST`, `--host${side}`, host, told);
  const name = host?.text.toLowerCase() ?? '';
  if (/\.office365\.com$|\.outlook\.com$/.test(name))
    told.steps.push(
      `Outlook.com and Microsoft 365 take no passwords any more: set ${prefix}_AUTH=oauth2, and let ${prefix}_PASSWORD_COMMAND print an access token.`,
    );
  if (side === '2' && (options.switched('exchange2') || name.endsWith('.office365.com')))
    told.steps.push(
      'Exchange rebuilds the messages that it stores, so that no copy is the same to the byte: with VERIFY=bytes the originals stay. VERIFY=headers is for such servers; it proves less, and says so at every start.',
    );
  if (/(?:^|\.)(?:gmail|googlemail)\.com$/.test(name))
    told.steps.push(
      `Gmail wants an app password in ${prefix}_PASSWORD_FILE (myaccount.google.com/apppasswords), without its blanks.`,
    );
}

/** imapsync 2 without a word about it takes 993 where that answers, else 143 with STARTTLS where that is offered. */
function security(side: Side, options: Options, told: Told): void {
  const prefix = PREFIX[side];
  const [ssl, tls] = [options.switched(`ssl${side}`), options.switched(`tls${side}`)];
  const port = options.value(`port${side}`);
  const number =
    port && port.unknown.length === 0 ? Number(port.text.replaceAll('_', '')) : undefined;
  const plain = number !== undefined && number !== 993 && ssl !== true;
  const implicit = ssl === true || (tls !== true && ssl !== false && !plain);
  const kind = implicit ? 'implicit' : tls === false ? 'none' : 'starttls';
  if (number !== undefined && number !== (implicit ? 993 : 143))
    told.settings.set(`${prefix}_PORT`, String(number));
  if (port && port.unknown.length > 0)
    told.gaps.push({
      of: `${prefix}_PORT`,
      why: `the line takes --port${side} from ${unknownIn(port)}; without it imapferry goes to ${implicit ? 993 : 143}`,
    });
  if (kind !== 'implicit') told.settings.set(`${prefix}_TLS`, kind);
  if (kind === 'starttls' && tls !== true)
    told.assumed.push(
      `${prefix}_TLS=starttls: imapsync goes on in plain text where the server has no STARTTLS; imapferry then does not log in.`,
    );
  if (kind === 'none')
    told.different.push(
      `${prefix}_TLS=none, as --nossl${side} --notls${side} have it: password and mail travel in plain text. Leave the line out if the server can do better.`,
    );
  if (ssl === true && tls === true)
    told.assumed.push(
      `${prefix}_TLS=implicit: --ssl${side} and --tls${side} at once is TLS within TLS, which hardly any server takes.`,
    );
  if (ssl === undefined && tls === undefined && number === undefined && !presets(side, options))
    told.assumed.push(
      `${prefix}_TLS=implicit, port 993: the line leaves it to imapsync, which would go to port 143 where 993 does not answer. ${prefix}_TLS=starttls does that.`,
    );
  certificates(side, options, told, kind === 'none');
}

function presets(side: Side, options: Options): boolean {
  return ['gmail', 'office'].some((name) => options.switched(`${name}${side}`));
}

function certificates(side: Side, options: Options, told: Told, off: boolean): void {
  const prefix = PREFIX[side];
  for (const { text, unknown } of options.values(`sslargs${side}`)) {
    const [, key = text, value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const name = `--sslargs${side} ${key}`;
    const sha256 = /^sha256\$(?:pub\$)?([\da-f:]{64,})$/i.exec(value)?.[1];
    if (unknown.length > 0 && key !== 'SSL_verify_mode')
      told.missing.push(
        `${name}: its value comes from ${unknownIn({ text, unknown })}, which can't be known here`,
      );
    else if (/^SSL_verify_mode$/i.test(key) && /^(?:0|SSL_VERIFY_NONE)$/.test(value))
      told.missing.push(
        `${name}: imapferry always checks the certificate; for one that nobody vouches for, ${prefix}_TLS_FINGERPRINT holds its SHA-256`,
      );
    else if (/^SSL_verify_mode$/i.test(key)) told.needless.push(name);
    else if (off)
      told.missing.push(`${name}: without TLS there is nothing to which it could belong`);
    else if (/^SSL_ca_file$/i.test(key)) told.settings.set(`${prefix}_CA_FILE`, value);
    else if (/^SSL_(?:verifycn_name|hostname)$/i.test(key))
      told.settings.set(`${prefix}_TLS_NAME`, value);
    else if (/^SSL_fingerprint$/i.test(key) && sha256 && !value.includes('pub$'))
      told.settings.set(`${prefix}_TLS_FINGERPRINT`, sha256);
    else if (/^SSL_fingerprint$/i.test(key))
      told.missing.push(
        `${name}: ${prefix}_TLS_FINGERPRINT wants the SHA-256 of the whole certificate`,
      );
    else
      told.missing.push(
        `${name}: imapferry speaks TLS 1.2 or newer as Node.js does, with a certificate authority (${prefix}_CA_FILE), a name (${prefix}_TLS_NAME) or a fingerprint (${prefix}_TLS_FINGERPRINT) to go by`,
      );
  }
}

function login(side: Side, options: Options, told: Told): void {
  const prefix = PREFIX[side];
  needed(`${prefix}_USER`, `--user${side}`, options.value(`user${side}`), told);
  if (options.value(`authuser${side}`))
    told.gaps.push({
      of: `${prefix}_USER`,
      why: `the line logs in as an administrator (--authuser${side}) on behalf of --user${side}, and imapferry as the mailbox itself; some servers take both in one name, Dovecot as user*administrator`,
    });
  const mechanism = options.value(`authmech${side}`)?.text.toUpperCase() ?? '';
  const direct = options.value(`oauthdirect${side}`);
  const token = options.value(`oauthaccesstoken${side}`);
  const oauth = Boolean(direct || token) || /^(?:XOAUTH2?|OAUTHBEARER)$/.test(mechanism);
  if (mechanism !== '' && !oauth && !/^(?:PLAIN|LOGIN|CRAM-MD5)$/.test(mechanism))
    told.missing.push(
      `--authmech${side}: imapferry logs in with OAUTHBEARER or XOAUTH2, PLAIN or LOGIN, and takes what the server has`,
    );
  else if (mechanism !== '') told.needless.push(`--authmech${side}`);
  const file = `./secrets/${prefix.toLowerCase()}_${oauth ? 'token' : 'password'}`;
  if (oauth) {
    told.settings.set(`${prefix}_AUTH`, 'oauth2');
    told.settings.set(`${prefix}_PASSWORD_FILE`, file);
    told.steps.push(
      `${file} is to hold the access token, freshly written each time it runs out; or let ${prefix}_PASSWORD_COMMAND print it, in place of ${prefix}_PASSWORD_FILE.`,
    );
    return;
  }
  const passfile = options.value(`passfile${side}`);
  const typed = options.value(`password${side}`) !== undefined;
  const known = passfile && !typed && passfile.unknown.length === 0 && passfile.text !== '';
  const path = known ? passfile.text : file;
  told.settings.set(`${prefix}_PASSWORD_FILE`, path);
  if (known) {
    told.steps.push(
      `${path} is read as it is, as --passfile${side} was: it must hold the password and nothing else; imapsync took the first line of it. chmod 400 it, for the user that imapferry runs as${path.startsWith('/') ? '' : ', and mind from which directory it is looked for'}; a container has to have it mounted.`,
    );
    return;
  }
  if (passfile && !typed)
    told.assumed.push(
      `${prefix}_PASSWORD_FILE=${file}: the line takes --passfile${side} from ${unknownIn(passfile) || 'nothing'}, which can't be known here.`,
    );
  if (typed)
    told.different.push(
      `The ${side === '1' ? 'old' : 'new'} mailbox's password stands on imapsync's line, where every user of the machine could read it in the list of processes. It is not repeated here: it goes into ${file}.`,
    );
  told.steps.push(
    `mkdir -p secrets && (umask 077; cat > ${file.slice(2)}), type the password behind --user${side}, then Return and Ctrl-D.`,
  );
}

function needed(
  variable: string,
  option: string,
  word: { readonly text: string; readonly unknown: readonly string[] } | undefined,
  told: Told,
): void {
  const known = word && word.unknown.length === 0 && word.text.trim() !== '';
  told.settings.set(variable, known ? word.text.trim() : '');
  if (known) return;
  const why =
    word && word.unknown.length > 0
      ? `the line takes ${option} from ${unknownIn(word)}`
      : `the line has no ${option}`;
  told.gaps.push({ of: variable, why });
}
