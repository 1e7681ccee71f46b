/** Certificate authorities from a PEM file. */
import { X509Certificate } from 'node:crypto';
import { readTextFile } from './file.ts';
import { Unusable } from './mistakes.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The PEM text of the certificates in a file. @throws Unusable where there are none, or one can't be read */
export function readCa(path: string): string {
  const file = readTextFile(path);
  if ('wrong' in file) throw new Unusable(file.wrong);
  const certificates = file.text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0)
    throw new Unusable(
      `names ${path}, which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
    );
  for (const [i, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new Unusable(`names ${path}, whose certificate number ${i + 1} is damaged`);
    }
  }
  return certificates.join('\n');
}
