/** The response codes of a NO that matter to who moves mail (RFC 5530, RFC 9051 §7.1, RFC 7889). */
export const RESPONSE_CODES = [
  'OVERQUOTA',
  'LIMIT',
  'TRYCREATE',
  'UNAVAILABLE',
  'SERVERBUG',
  'INUSE',
  'NOPERM',
  'TOOBIG',
  'EXPUNGEISSUED',
  'AUTHENTICATIONFAILED',
  'CONTACTADMIN',
  'ALERT',
] as const;
