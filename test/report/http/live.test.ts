/** The stream of server-sent events: what is pushed, how often, to how many, and what becomes of who does not read. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { folderOf, HOSTILE, historyOf, routeOf, STATES, statusOf } from '../../support/boards.ts';
import { Serving } from '../../support/serving.ts';

interface Heard {
  readonly event: string;
  readonly data: unknown;
}

/** A reader of the stream, as a browser is one. */
class Listener implements Disposable {
  readonly heard: Heard[] = [];
  readonly comments: string[] = [];
  retry: number | undefined;
  readonly response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.response = response;
    let rest = '';
    response.setEncoding('utf8').on('data', (piece: string) => {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    });
    response.on('error', () => undefined);
  }

  static async to(serving: Serving): Promise<Listener> {
    const request = get({
      port: serving.port,
      host: '127.0.0.1',
      path: '/api/events',
      agent: false,
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new Listener(response);
  }

  #take(block: string): void {
    let [event, data] = ['message', ''];
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments.push(line.slice(2));
      else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data += line.slice(6);
      else if (line.startsWith('retry: ')) this.retry = Number(line.slice(7));
    }
    if (data !== '') this.heard.push({ event, data: JSON.parse(data) });
  }

  of(event: string): Heard[] {
    return this.heard.filter((each) => each.event === event);
  }

  async until(is: () => boolean, within = 5_000): Promise<void> {
    const deadline = performance.now() + within;
    while (!is()) {
      if (performance.now() > deadline)
        throw new Error(`not heard: ${JSON.stringify(this.heard.map(({ event }) => event))}`);
      await wait(5);
    }
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }
}

const flowing = (folders: number) =>
  statusOf([
    routeOf('default', { folders: Array.from({ length: folders }, (_, i) => folderOf(`f${i}`)) }),
  ]);

describe('/api/events', () => {
  it('begins with all that there is, and how soon to come back', async () => {
    await using serving = await Serving.of();
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    expect(listener.response.headers['content-type']).toBe('text/event-stream');
    expect(listener.response.headers['content-security-policy']).toContain("'none'");
    expect(listener.retry).toBe(3_000);
    expect(listener.heard.slice(0, 3)).toMatchObject([
      { event: 'status', data: { verdict: { says: 'Mail is flowing.' } } },
      { event: 'histories', data: [{ route: 'default' }] },
      { event: 'senders', data: { days: 90 } },
    ]);
  });

  it('HEAD has its headers and ends', async () => {
    await using serving = await Serving.of();
    const { status, headers } = await serving.ask('/api/events', { method: 'HEAD' });
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
  });

  it('pushes a status when it changes, and only then', async () => {
    await using serving = await Serving.of();
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    const { status } = STATES.refused();
    serving.board.set({ status });
    await listener.until(() => listener.of('status').length === 2);
    expect(listener.of('status')[1]?.data).toMatchObject({ healthy: false });
    for (let i = 0; i < 10; i++) {
      serving.board.set({ status });
      await wait(30);
    }
    expect(listener.of('status').length).toBe(2);
  });

  it('pushes at most as often as it is to, and the last state always', async () => {
    await using serving = await Serving.of(STATES.flowing(), {}, { live: { least: 300 } });
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    const began = performance.now();
    for (let i = 1; i <= 50; i++) {
      serving.board.set({ status: flowing(i) });
      await wait(10);
    }
    const last = () => listener.of('status').at(-1)?.data as { routes: { folders: unknown[] }[] };
    await listener.until(() => last().routes[0]?.folders.length === 50);
    const most = 3 + (performance.now() - began) / 300;
    expect(listener.of('status').length).toBeLessThan(most);
  });

  it('pushes what was carried when that changes, by the next sign of life at the latest', async () => {
    await using serving = await Serving.of();
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    serving.board.histories = () => [historyOf('other')];
    await listener.until(() => listener.of('histories').length === 2, 10_000);
    expect(listener.of('histories')[1]?.data).toMatchObject([{ route: 'other' }]);
  });

  it('shows that it lives while nothing changes, and notices what time alone changes', async () => {
    await using serving = await Serving.of();
    using listener = await Listener.to(serving);
    await listener.until(() => listener.of('alive').length >= 2);
    expect(listener.comments).toContain('imapferry is here');
    expect(listener.of('status').length).toBe(1);
    const { status } = STATES.refused();
    serving.board.status = () => status;
    await listener.until(() => listener.of('status').length === 2);
  });

  it('a name can not end an event and begin another one', async () => {
    await using serving = await Serving.of(STATES.hostile());
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    const names = HOSTILE.map((folder) => ({ folder }));
    expect(listener.of('status')[0]?.data).toMatchObject({ routes: [{ folders: names }] });
    expect(listener.of('status').length).toBe(1);
  });

  it('a board that throws ends no stream, and is asked again', async () => {
    await using serving = await Serving.of();
    using listener = await Listener.to(serving);
    await listener.until(() => listener.heard.length >= 3);
    const { status } = serving.board;
    serving.board.status = () => {
      throw new Error('not now');
    };
    await wait(250);
    serving.board.status = status.bind(serving.board);
    serving.board.set(STATES.refused());
    await listener.until(() => listener.of('status').length === 2);
  });

  it('one that can not tell what the journal holds tells the status all the same', async () => {
    await using serving = await Serving.of();
    const unreadable = () => {
      throw new Error('the journal is locked');
    };
    serving.board.histories = unreadable;
    serving.board.senders = unreadable;
    using listener = await Listener.to(serving);
    await listener.until(() => listener.of('status').length === 1);
    serving.board.set(STATES.refused());
    await listener.until(() => listener.of('status').length === 2);
  });

  it('takes so many readers, tells the next one so, and takes him when one has gone', async () => {
    await using serving = await Serving.of(STATES.flowing(), {}, { live: { most: 2 } });
    using first = await Listener.to(serving);
    {
      using second = await Listener.to(serving);
      expect(second.response.statusCode).toBe(200);
      expect(await serving.ask('/api/events')).toMatchObject({
        status: 503,
        headers: { 'retry-after': '30' },
      });
    }
    await first.until(() => first.heard.length >= 3);
    let third = await Listener.to(serving);
    for (let i = 0; i < 100 && third.response.statusCode !== 200; i++) {
      third[Symbol.dispose]();
      await wait(10);
      third = await Listener.to(serving);
    }
    expect(third.response.statusCode).toBe(200);
    third[Symbol.dispose]();
  });

  it('drops who does not read, keeps little for him, and goes on for the others', async () => {
    await using serving = await Serving.of({ ...STATES.flowing(), status: flowing(4_000) });
    using listener = await Listener.to(serving);
    const deaf = createConnection(serving.port, '127.0.0.1');
    deaf.on('error', () => undefined);
    deaf.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    deaf.pause();
    let ended = false;
    deaf.on('close', () => {
      ended = true;
    });
    const deadline = performance.now() + 20_000;
    // A megabyte at each push: soon the sockets are full.
    for (let i = 0; !ended && performance.now() < deadline; i++) {
      serving.board.set({ status: flowing(4_000 + (i % 2)) });
      await wait(100);
      // Whoever does not read does not hear that it is over either, unless he is written to.
      if (i > 10) deaf.write('x');
    }
    expect(ended).toBe(true);
    const before = listener.of('status').length;
    serving.board.set({ status: flowing(3) });
    await listener.until(() => listener.of('status').length > before);
  });
});
