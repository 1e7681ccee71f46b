import { describe } from 'vitest';
import { destinationContract } from './destination.contract.ts';
import { type Can, dovecot } from './servers.ts';
import { sourceContract } from './source.contract.ts';

const ALL: Can = {
  idle: true,
  uidPlus: true,
  move: true,
  multi: true,
  literalPlus: true,
  expungesMarkedOnly: true,
  readsQuotes: true,
  holdsMissing: true,
  refusesEmpty: true,
};

describe.each([
  { name: 'Dovecot over TLS', can: ALL, options: {} },
  {
    name: 'Dovecot with folders under INBOX., overheard',
    can: ALL,
    options: { overheard: true, prefix: 'INBOX.', separator: '.' as const },
  },
  {
    name: 'Dovecot that lists nothing but IMAP4rev1',
    can: { ...ALL, idle: false, uidPlus: false, move: false, multi: false, literalPlus: false },
    options: { overheard: true, capability: 'IMAP4rev1' },
  },
  {
    name: 'Dovecot without MOVE and MULTIAPPEND',
    can: { ...ALL, move: false, multi: false },
    options: { overheard: true, capability: 'IMAP4rev1 idle uidplus literal+' },
  },
])('$name', ({ name, can, options }) => {
  sourceContract(name, can, () => dovecot({ ...options, less: can }));
  destinationContract(name, can, () => dovecot({ ...options, less: can }));
});
