/** What must not stay, and must not be shown. */
import { expect, it } from 'vitest';
import { failureOf } from '../../src/imap/answers.ts';

it('a server that quotes the subject in its refusal does not bring it into what is told', () => {
  const subject = 'Your test result: positive';
  const error = Object.assign(new Error('Command failed'), {
    responseStatus: 'NO',
    responseText: `Message "${subject}" rejected as spam`,
  });
  expect(failureOf(error, 'append').message).not.toContain(subject);
});
