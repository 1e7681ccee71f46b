/** Takes the picture of the status page that the README shows: on a desk and on a phone, with mail that nobody sent. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serve } from '../src/report/http.ts';
import { HandBoard, STATES } from '../test/support/boards.ts';
import { openPage, startChromium } from '../test/support/browser.ts';

const PICTURE = fileURLToPath(new URL('../docs/status-page.png', import.meta.url));
// As they are shown in the end: what is made smaller later is larger as a file.
const DESK = { viewport: { width: 1020, height: 880 }, deviceScaleFactor: 0.84 };
const PHONE = {
  viewport: { width: 375, height: 800 },
  deviceScaleFactor: 0.7,
  isMobile: true,
  hasTouch: true,
  colorScheme: 'dark',
} as const;

await using served = serve(
  new HandBoard(STATES.flowing()),
  { port: 0, host: '127.0.0.1' },
  { emit: () => undefined },
);
const { port } = await served.listening;
const browser = await startChromium();
const shots: string[] = [];
for (const options of [DESK, PHONE]) {
  await using view = await openPage(browser, `http://127.0.0.1:${port}/`, options);
  await view.page.locator('#live[data-is=live]').waitFor();
  await view.page.evaluate('document.fonts.ready');
  shots.push((await view.page.screenshot()).toString('base64'));
}
const [desk, phone] = shots;
const page = await browser.newPage({ viewport: { width: 1200, height: 780 } });
await page.setContent(`<!doctype html><style>
  body { margin: 0; height: 780px; overflow: hidden; background: #e4e8e6; position: relative; }
  img { position: absolute; border-radius: 10px; box-shadow: 0 0 0 1px #c9d1ce; }
  .desk { left: 24px; top: 24px; }
  .phone { right: 24px; top: 110px; border-radius: 22px; box-shadow: 0 0 0 6px #27353a; }
</style><img class="desk" src="data:image/png;base64,${desk}"><img class="phone" src="data:image/png;base64,${phone}">`);
writeFileSync(PICTURE, await page.screenshot());
await browser.close();
