/** The journal's rows as what they hold: a Note, a claim, an alert. */
import type { AlertNote, Note, Retired } from '../domain/ports.ts';
import type { Proof } from '../domain/receipt.ts';

/** The columns that make a Note, in the order of `NoteRow`. */
export const NOTE_COLUMNS = `uid, state, sha256, message_id, size, dest_folder, dest_uid_validity, dest_uid_next, dest_uid,
  proof, retired, why, tries, noted_at, retry_at, internal_date`;

/** As an array, not an object: half the time for a folder of 100,000 rows. */
export type NoteRow = readonly [
  uid: number,
  state: Note['state'],
  sha256: string,
  messageId: string | null,
  size: number,
  destFolder: string,
  destUidValidity: number,
  destUidNext: number,
  destUid: number | null,
  proof: Proof | null,
  retired: Retired | null,
  why: string | null,
  tries: number,
  notedAt: number,
  retryAt: number | null,
  internalDate: number | null,
];

/** The columns that tell which original a copy proves, in the order of `ClaimRow`. */
export const CLAIM_COLUMNS = `uid, source, source_folder, source_uid_validity, source_uid, loose, sha256,
  internal_date`;

export type ClaimRow = readonly [
  /** Of the copy. */
  uid: number,
  source: number,
  folder: string,
  uidValidity: number,
  sourceUid: number,
  loose: number,
  sha256: string,
  internalDate: number | null,
];

/** The Note of a row; columns after a Note's own are left alone. Assigns, since spreading takes three times as long. */
export function noteOf(row: NoteRow): Note {
  const [uid, state, sha256, messageId, size, folder, uidValidity, uidNext] = row;
  const [, , , , , , , , destUid, proof, retired, why, tries, notedAt, retryAt, internalDate] = row;
  const dest = { folder, uidValidity, uidNext };
  type Writable = { -readonly [field in keyof Note]: Note[field] };
  const note: Writable = { uid, state, sha256, size, dest, tries, notedAt };
  if (messageId !== null) note.messageId = messageId;
  if (destUid !== null) note.destUid = destUid;
  if (proof !== null) note.proof = proof;
  if (retired !== null) note.retired = retired;
  if (why !== null) note.why = why;
  if (retryAt !== null) note.retryAt = retryAt;
  if (internalDate !== null) note.internalDate = internalDate;
  return note;
}

/** A row of the `alert` table. */
export interface AlertRow {
  readonly cause: AlertNote['cause'];
  readonly side: 'source' | 'destination' | '';
  readonly folder: string;
  readonly since: number;
  readonly toldAt: number;
  readonly way: AlertNote['by'];
  readonly over: number;
}

export function alertOf({ cause, side, folder, since, toldAt, way, over }: AlertRow): AlertNote {
  return {
    cause,
    ...(side !== '' && { side }),
    ...(folder !== '' && { folder }),
    since,
    toldAt,
    by: way,
    over: over === 1,
  };
}

export function rowOf({ by, over, ...note }: AlertNote) {
  return { side: '', folder: '', ...note, way: by, over: Number(over) };
}
