import { describe } from 'vitest';
import { destinationContract } from './destination.contract.ts';
import { DOVECOT, dovecot } from './servers.ts';
import { sourceContract } from './source.contract.ts';

describe.each([
  { name: 'Dovecot over TLS', can: DOVECOT, options: {} },
  {
    name: 'Dovecot with folders under INBOX., overheard',
    can: DOVECOT,
    options: { overheard: true, prefix: 'INBOX.', separator: '.' as const },
  },
  {
    name: 'Dovecot that lists nothing but IMAP4rev1',
    can: {
      ...DOVECOT,
      idle: false,
      uidPlus: false,
      move: false,
      notify: false,
      listStatus: false,
      multi: false,
      literalPlus: false,
    },
    options: { overheard: true, capability: 'IMAP4rev1' },
  },
  {
    name: 'Dovecot without MOVE, MULTIAPPEND and NOTIFY',
    can: { ...DOVECOT, move: false, multi: false, notify: false },
    options: {
      overheard: true,
      capability: 'IMAP4rev1 idle uidplus literal+ list-extended list-status',
    },
  },
])('$name', ({ name, can, options }) => {
  sourceContract(name, can, () => dovecot({ ...options, less: can }));
  destinationContract(name, can, () => dovecot({ ...options, less: can }));
});
