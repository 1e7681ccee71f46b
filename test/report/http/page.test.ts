/** The status page in a real browser: on a phone and on a desk, by day and by night, in every state it has to bear. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BoardState,
  folderOf,
  historyOf,
  routeOf,
  STATES,
  statusOf,
} from '../../support/boards.ts';
import { openPage, startChromium, type Watched } from '../../support/browser.ts';
import { Serving } from '../../support/serving.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 900 } };

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

/** A page that shows this state and is live. */
async function shown(
  state: BoardState,
  options: Parameters<typeof openPage>[2] = DESK,
): Promise<Watched & { serving: Serving; page: Page }> {
  const metrics = { contentType: 'text/plain', render: async () => '' };
  const serving = await Serving.of(state, {}, { metrics });
  const watched = await openPage(browser, serving.url, options);
  await live(watched.page);
  return {
    ...watched,
    serving,
    async [Symbol.asyncDispose]() {
      await watched[Symbol.asyncDispose]();
      await serving[Symbol.asyncDispose]();
    },
  };
}

const live = (page: Page) => page.locator('#live[data-is=live]').waitFor();
const told = async (locator: Locator) => (await locator.innerText()).replaceAll(/\s+/g, ' ').trim();
const textOf = (page: Page, selector: string) => told(page.locator(selector).first());

/** What axe finds wrong. The page's CSP lets no script in but by the debugger's door. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const options: RunOptions = {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  };
  // Of very many rows the first ones stand for all.
  const where = JSON.stringify({ exclude: ['.more tbody tr:nth-child(n + 5)'] });
  const results: AxeResults = await page.evaluate(`axe.run(${where}, ${JSON.stringify(options)})`);
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** How far the page is wider than its window. */
const overflow = (page: Page) =>
  page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );

describe.each(Object.entries(STATES))('%s', { timeout: 180_000 }, (_name, state) => {
  it.each([
    ['on a phone', PHONE],
    ['on a desk', DESK],
  ] as const)('is shown %s by day and by night: nothing to complain of', async (_where, where) => {
    await using view = await shown(state(), where);
    const { page, complaints } = view;
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    // What is folded is a part of the page, too; of many routes two stand for all.
    await page.evaluate(
      "for (const each of document.querySelectorAll('details:not(.route:nth-child(n + 3))')) each.open = true",
    );
    await page.waitForTimeout(100);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    expect(complaints).toEqual([]);
    expect(await page.locator('h1').count()).toBe(1);
  });
});

describe('the page', () => {
  it('says that mail is flowing, and what came', async () => {
    await using view = await shown(STATES.flowing());
    expect(await textOf(view.page, 'h1')).toBe('Mail is flowing.');
    expect(await textOf(view.page, '#summary')).toBe(
      '5 messages carried today. The last one 4 min ago.',
    );
    expect(await view.page.title()).toBe('Mail is flowing. · imapferry');
    const row = view.page.locator('.folders tbody tr').nth(1);
    expect(await told(row)).toMatch(/^Sent → Sent Messages by IDLE since \S+ 2 h ago – 1 19 92$/);
    expect(await view.page.locator('.senders tbody tr').count()).toBe(8);
    expect(await textOf(view.page, '.senders tbody tr')).toMatch(/^example\.org\s+12\s+30 min ago/);
  });

  it('says what is wrong and what to do, on top', async () => {
    await using view = await shown(STATES.refused(), PHONE);
    expect(await textOf(view.page, 'h1')).toBe('Mail is not flowing.');
    expect(await textOf(view.page, '#troubles li')).toContain(
      'Look whether the password has changed',
    );
    const box = await view.page.locator('#troubles li').first().boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(812);
  });

  it('says what is stuck, and what has it tried again', async () => {
    await using view = await shown(STATES.stuck());
    expect(await textOf(view.page, '.remarks')).toBe(
      'Stuck: 3 messages could not be carried and stay in the old mailbox (2 refused, 1 with a copy that differs). imapferry stuck lists them and says why; imapferry stuck --retry has them tried again now.',
    );
    expect(await textOf(view.page, '.folders tbody tr')).toContain('Archive');
  });

  it('shows how far a first drain has come', async () => {
    await using view = await shown(STATES.drain());
    expect(await textOf(view.page, '.drain p')).toBe(
      '8,230 carried (1.2 GB), 16,212 still to come, about 40 min to go.',
    );
    const bar = 'document.querySelector("progress")';
    expect(await view.page.evaluate(`${bar}.value / ${bar}.max`)).toBeCloseTo(8_230 / 24_442);
  });

  it('a route does not flow while one of its accounts is being connected anew', async () => {
    const { status, ...rest } = STATES.routes();
    const routes = status.routes.map((route, i) => ({
      ...route,
      ...(i === 1 && {
        accounts: route.accounts.map((each) => ({ ...each, is: 'connecting' as const })),
      }),
    }));
    await using view = await shown({ ...rest, status: { ...status, routes } });
    const summary = view.page.locator('details.route > summary');
    expect(await summary.nth(1).innerText()).toContain('connecting');
    expect(await summary.nth(2).innerText()).toContain('flowing');
  });

  it('says when the old mailbox can go', async () => {
    await using view = await shown(STATES.over());
    expect(await textOf(view.page, '.senders .lead')).toBe(
      'Nobody has written to it in the last 90 days. The old mailbox can go.',
    );
  });

  it('does not say so while mail does not flow, and says why', async () => {
    const over = STATES.over();
    const { troubles } = STATES.refused().status;
    await using view = await shown({
      ...over,
      status: { ...over.status, healthy: false, troubles },
    });
    expect(await textOf(view.page, 'h1')).toBe('Mail is not flowing.');
    expect(await textOf(view.page, '.senders .lead')).toBe(
      'Nobody has written to it in the last 90 days, as far as imapferry knows. It is too early to let the old mailbox go:',
    );
    expect(await textOf(view.page, '.senders')).toContain('The new mailbox refuses the login.');
    view.serving.board.set({ status: over.status });
    await view.page.getByText('The old mailbox can go.').waitFor();
  });

  it('begins at the top of its headings and skips none', async () => {
    await using view = await shown(STATES.two());
    const levels = await view.page.evaluate<number[]>(
      "[...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]))",
    );
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries())
      expect(level).toBeLessThanOrEqual((levels[i - 1] ?? 0) + 1);
  });

  it('its charts are tables to whom a picture says nothing', async () => {
    await using view = await shown(STATES.flowing());
    const picture = view.page.getByRole('img', { name: 'Messages a day' });
    expect(await picture.count()).toBe(1);
    const says = await picture.locator('desc').textContent();
    expect(says?.replaceAll('\u00a0', ' ')).toBe(await textOf(view.page, 'figcaption p'));
    await view.page.locator('figure summary').first().focus();
    await view.page.keyboard.press('Enter');
    expect(await view.page.locator('figure').first().locator('tbody tr').count()).toBe(30);
    expect(await textOf(view.page, 'figure tbody tr')).toMatch(/^\d+ [A-Z][a-z]+ 5 254 KB$/);
  });

  it('its rows are rows on a phone, too', async () => {
    await using view = await shown(STATES.flowing(), PHONE);
    const table = view.page.getByRole('table', { name: 'Folders', exact: true });
    expect(await table.getByRole('row').count()).toBe(6);
    expect(await told(table.getByRole('rowheader').first())).toBe('INBOX → INBOX');
  });

  it('many routes fold, and unfold by the keyboard', async () => {
    await using view = await shown(STATES.routes());
    const summary = view.page.locator('details.route > summary').nth(1);
    await summary.focus();
    await view.page.keyboard.press('Enter');
    await view.page.locator('details.route').nth(1).locator('.folders tbody tr').first().waitFor();
    view.serving.board.set({ status: statusOf(STATES.routes().status.routes) });
    await view.page.getByText('Mail is flowing.').first().waitFor();
    expect(await view.page.locator('details.route[open]').count()).toBe(1);
    expect(await view.page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
  });

  it('of many folders it shows some, those that want a look first', async () => {
    const state = STATES.folders();
    const [route] = state.status.routes;
    const folders = route?.folders.map((folder, i) =>
      i === 150 ? { ...folder, refused: 1 } : folder,
    );
    await using view = await shown({
      ...state,
      status: statusOf([routeOf('default', { folders: folders ?? [] })]),
    });
    const table = view.page.getByRole('table', { name: 'Folders', exact: true });
    expect(await table.getByRole('rowheader').count()).toBe(10);
    expect(await told(table.getByRole('rowheader').first())).toContain('one message refused');
    expect(await textOf(view.page, '.folders summary')).toBe('190 more folders');
  });

  it('nothing that a server calls a folder is more than text', async () => {
    await using view = await shown(STATES.hostile());
    expect(await view.page.title()).toContain('Mail is flowing');
    expect(await view.page.locator('main img, main script, main iframe').count()).toBe(0);
    const text = await textOf(view.page, 'main');
    expect(text).toContain('<img src=x onerror=');
    expect(text).toContain('\\u202egnp.exe\\u202c');
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(view.complaints).toEqual([]);
  });

  it('nothing moves while it is built', async () => {
    await using serving = await Serving.of();
    await using context = await browser.newContext(PHONE);
    const page = await context.newPage();
    await page.addInitScript(
      `globalThis.shifted = 0;
       new PerformanceObserver((list) => {
         for (const { value } of list.getEntries()) shifted += value;
       }).observe({ type: 'layout-shift', buffered: true });`,
    );
    await page.goto(serving.url);
    await live(page);
    await page.waitForTimeout(500);
    expect(await page.evaluate('shifted')).toBeLessThan(0.02);
  });

  it('holds still for whom movement is too much', async () => {
    await using view = await shown(STATES.flowing(), { ...DESK, reducedMotion: 'reduce' });
    await carryOne(view.serving);
    await view.page.locator('.line.crossing').waitFor();
    expect(await view.page.evaluate('document.getAnimations().length')).toBe(0);
  });
});

describe('live', () => {
  it('a message that is carried arrives on the page by itself', async () => {
    await using view = await shown(STATES.flowing());
    await carryOne(view.serving);
    await view.page.getByText('The last one just now.').waitFor();
    await view.page.locator('.line.crossing').waitFor();
    await view.page.locator('.figures dd').first().getByText('99').waitFor();
  });

  it('trouble arrives as well, is announced, and goes when it is over', async () => {
    await using view = await shown(STATES.flowing());
    const title = view.page.locator('h1');
    expect(await title.getAttribute('aria-live')).toBe('polite');
    expect(await view.page.locator('[aria-live]').count()).toBe(1);
    view.serving.board.set(STATES.refused());
    await view.page.getByText('Mail is not flowing.').waitFor();
    expect(await view.page.locator('#troubles').isVisible()).toBe(true);
    view.serving.board.set(STATES.flowing());
    await view.page.getByText('Mail is flowing.').waitFor();
    expect(await view.page.locator('#troubles').isVisible()).toBe(false);
  });

  it('says so when it has lost imapferry, and finds it again by itself', {
    timeout: 120_000,
  }, async () => {
    const first = await Serving.of();
    await using view = await openPage(browser, first.url, PHONE);
    await live(view.page);
    await first[Symbol.asyncDispose]();
    await view.page.locator('#live[data-is=broken]').waitFor();
    expect(await textOf(view.page, '#live')).toMatch(/^not connected, last seen \d\d:\d\d$/);
    await view.page.getByText('Not connected to imapferry.').waitFor();
    expect(await textOf(view.page, '#summary')).toMatch(
      /^This page connects again by itself\. Last seen \d\d:\d\d; what is below was so then\.$/,
    );
    expect(await violations(view.page)).toEqual([]);
    await using second = await Serving.of(STATES.refused(), { port: first.port });
    await live(view.page);
    expect(await textOf(view.page, 'h1')).toBe('Mail is not flowing.');
    expect(second.port).toBe(first.port);
  });

  it('is shown to who knows the password, whose change it notices', {
    timeout: 120_000,
  }, async () => {
    let password = 'secret';
    const serving = await Serving.of(STATES.flowing(), { password: () => password });
    const httpCredentials = { username: 'me', password: 'secret' };
    await using view = await openPage(browser, serving.url, { ...DESK, httpCredentials });
    await live(view.page);
    expect(view.complaints.filter((each) => !each.startsWith('401'))).toEqual([]);
    await serving[Symbol.asyncDispose]();
    password = 'another';
    await using _ = await Serving.of(STATES.flowing(), {
      port: serving.port,
      password: () => password,
    });
    await view.page.getByText('imapferry asks for its password.').waitFor();
    expect(await textOf(view.page, '#summary')).toBe('Load this page again to enter it.');
  });
});

async function carryOne(serving: Serving): Promise<void> {
  const carriedAt = Date.now();
  const route = routeOf('default', { carriedAt, folders: [folderOf('INBOX', { carriedAt })] });
  const history = historyOf('default', 1, ['INBOX']);
  const today = { messages: 99, bytes: 1_000 };
  // What was carried is asked for again a few seconds later only: here it is told at once.
  serving.board.histories = () => [{ ...history, today }];
  serving.board.set({ status: statusOf([route]) });
}
