/** The UIDs of a folder's messages that are in hand, and how many of them have come as far as to wait for all others. */
export class InHand extends Set<number> {
  readonly #arrived = new Set<number>();
  #changed = Promise.withResolvers<void>();

  /** These are at the destination, and proven or set aside. */
  arrive(uids: Iterable<number>): void {
    for (const uid of uids) if (this.has(uid)) this.#arrived.add(uid);
    this.#tell();
  }

  get haveArrived(): boolean {
    return this.size === this.#arrived.size;
  }

  /** Resolves once all that is in hand has arrived. */
  async allArrived(): Promise<void> {
    while (!this.haveArrived) await this.#changed.promise;
  }

  override delete(uid: number): boolean {
    this.#arrived.delete(uid);
    const was = super.delete(uid);
    this.#tell();
    return was;
  }

  #tell(): void {
    if (!this.haveArrived) return;
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
