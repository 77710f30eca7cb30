/** Pages that replace what they show: the launcher stays or returns, and so does the window. */
import { beforeAll, describe, expect, test } from 'vitest';
import { buildAstroPage, buildReactPage, packageFile, SNIPPET } from './pages';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    storyRemoved: number;
    storyStop(): void;
  }
}

const drawn = (visitor: Visitor) => until('the launcher to be drawn', () => visitor.launcher());

const gone = (visitor: Visitor) =>
  visitor.page.evaluate(() => document.querySelector('web-widget')?.remove());

describe.each([18, 19] as const)(
  'a document that React %i hydrates',
  { timeout: 90_000 },
  (version) => {
    const here = story();
    let script: Promise<string>;
    beforeAll(() => {
      script = buildReactPage(version);
    });

    async function arrive(): Promise<Visitor> {
      const files = {
        '/react':
          '<!doctype html><html lang="en"><head><title>Shop</title></head>' +
          '<body><main id="main">Coffee</main></body></html>',
        '/react.js': await script,
      };
      const visitor = await here.arrive({ files });
      // Not part of what React hydrates, as in a page that a plugin adds the snippet to.
      for (const src of ['/react.js', SNIPPET.match(/src="([^"]+)"/)?.[1] as string])
        await visitor.page.evaluate(
          (src) =>
            new Promise((onload) => {
              const script = Object.assign(document.createElement('script'), { src, onload });
              document.head.append(script);
              script.remove();
            }),
          src,
        );
      await drawn(visitor);
      return visitor;
    }

    async function hydrate(visitor: Visitor, words: string): Promise<string[]> {
      await visitor.page.evaluate((words) => window.hydrate(words), words);
      await visitor.page.locator('#done').waitFor();
      return visitor.page.evaluate(() => window.repaired);
    }

    test('the launcher does not disturb it, and the window opens', async () => {
      const visitor = await arrive();
      expect(await hydrate(visitor, 'Coffee'), 'what React had to repair').toEqual([]);
      await visitor.open();
      await visitor.frame.getByRole('textbox').fill('a draft');
      expect(await visitor.page.locator('web-widget').count()).toBe(1);
    });

    test('a window that was opened before is there afterwards, with what was typed', async () => {
      const visitor = await arrive();
      await visitor.open();
      await visitor.frame.getByRole('textbox').fill('a draft');
      // React 18 draws the document again, because the element stands beside the body.
      await hydrate(visitor, 'Coffee');
      await until('the draft', async () => {
        const [, frame] = visitor.page.frames();
        const input = frame?.getByRole('textbox').inputValue({ timeout: 1_000 });
        return (await input?.catch(() => '')) === 'a draft';
      });
      expect(await visitor.page.locator('web-widget').count()).toBe(1);
    });

    test('the launcher returns when React draws the document again', async () => {
      const visitor = await arrive();
      expect((await hydrate(visitor, 'Tea')).length).toBeGreaterThan(0);
      await visitor.open();
      expect(await visitor.page.locator('web-widget').count()).toBe(1);
    });
  },
);

describe('a page that replaces its body', { timeout: 90_000 }, () => {
  const here = story();

  const turbo = `<script>${packageFile('@hotwired/turbo/dist/turbo.es2017-umd.js').replaceAll('</script', '<\\/script')}</script>`;
  const htmx = `<script>${packageFile('htmx.org/dist/htmx.min.js')}</script>`;

  const astro = async () =>
    `<meta name="astro-view-transitions-enabled" content="true">
    <script type="module">${await buildAstroPage()}</script>`;

  test.each([
    ['Turbo', async () => turbo, ''],
    ['htmx boost', async () => htmx, ' hx-boost="true"'],
    ['Astro view transitions', astro, ''],
  ])(
    '%s: draft and window survive a visit, and the closed launcher returns',
    async (name, load, boost) => {
      const script = await load();
      const folder = `/${name.split(' ')[0]?.toLowerCase()}`;
      const page = (title: string, link: string) =>
        `<!doctype html><html><head><title>${title}</title>${script}${SNIPPET}</head>` +
        `<body${boost}><h1>${title}</h1><a href="${folder}/${link}">Next</a></body></html>`;
      const files = {
        [`${folder}/one`]: page('One', 'two'),
        [`${folder}/two`]: page('Two', 'three'),
        [`${folder}/three`]: page('Three', 'two'),
      };
      const visitor = await here.arrive({ files });
      await drawn(visitor);
      const openNext = async (title: string) => {
        await visitor.page.getByRole('link').click();
        await visitor.page.getByRole('heading', { name: title }).waitFor();
        // Until a view transition has ended, it lies above the page.
        await until('the end of animations', () =>
          visitor.page.evaluate(() => document.getAnimations().length === 0),
        );
      };
      await openNext('Two');
      await visitor.open();
      await visitor.frame.getByRole('textbox').fill('a draft');
      await openNext('Three');
      expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('a draft');
      expect(await visitor.page.locator('web-widget').count()).toBe(1);
    },
  );
});

describe('a page that removes the launcher', { timeout: 60_000 }, () => {
  const here = story();

  /** With a clock that the story winds. */
  async function arrive(): Promise<Visitor> {
    const visitor = await here.arrive();
    await visitor.page.clock.install();
    await visitor.visit('/swaps', `<!doctype html><title>Swaps</title>${SNIPPET}<body></body>`);
    await drawn(visitor);
    return visitor;
  }

  const isThere = (visitor: Visitor) =>
    visitor.page.evaluate(() => document.querySelector('web-widget')?.isConnected === true);

  test('with its body at each of 200 visits finds it in each new body', async () => {
    const visitor = await arrive();
    for (let visits = 1; visits <= 200; visits += 1) {
      await visitor.page.evaluate(() => document.body.replaceWith(document.createElement('body')));
      expect(await isThere(visitor), `visit ${visits}`).toBe(true);
      await visitor.page.clock.runFor(1_000);
    }
    await visitor.open();
  });

  test('whenever it sees it keeps running, and gets it back once it stops', async () => {
    const visitor = await arrive();
    const removed = () => visitor.page.evaluate(() => window.storyRemoved);
    await visitor.page.evaluate(() => {
      window.storyRemoved = 0;
      const observer = new MutationObserver(() => {
        const node = document.querySelector('web-widget');
        if (node) window.storyRemoved += 1;
        node?.remove();
      });
      observer.observe(document, { childList: true, subtree: true });
      window.storyStop = () => observer.disconnect();
      document.querySelector('web-widget')?.remove();
    });
    expect(await removed()).toBe(20);
    await visitor.page.clock.runFor(5_000);
    expect(await removed()).toBe(40);
    await visitor.page.evaluate(() => window.storyStop());
    await visitor.page.clock.runFor(5_000);
    expect(await isThere(visitor)).toBe(true);
    await visitor.open();
  });
});

describe('a page that replaces its document', { timeout: 90_000 }, () => {
  const here = story();

  test.each([
    [
      'document.open',
      () => {
        document.open();
        document.write('<!doctype html><title>New</title><body><h1>New</h1></body>');
        document.close();
      },
    ],
    [
      'another root element',
      () => {
        const root = document.createElement('html');
        root.append(document.createElement('head'), document.createElement('body'));
        document.replaceChild(root, document.documentElement);
      },
    ],
  ])('%s: the launcher returns, and so does the open window', async (_, replace) => {
    const html = `<!doctype html><title>Old</title>${SNIPPET}<body><h1>Old</h1></body>`;
    const visitor = await here.arrive({ files: { '/old': html } });
    await drawn(visitor);
    await visitor.page.evaluate(replace);
    await visitor.open();
    await visitor.page.evaluate(replace);
    await until('the window to be back', async () => {
      const [, frame] = visitor.page.frames();
      // The frame that came back with its element is replaced at once.
      return frame?.evaluate(() => !!document.querySelector('[role=dialog]')).catch(() => false);
    });
    expect(await visitor.page.locator('web-widget').count()).toBe(1);
  });

  test('document.open in a conversation: it continues there and on the next page', async () => {
    const page = (title: string) =>
      `<!doctype html><title>${title}</title>${SNIPPET}<body><h1>${title}</h1></body>`;
    const files = { '/old': page('Old'), '/next': page('Next') };
    const visitor = await here.arrive({ files });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const before = await visitor.transcript();
    await visitor.frame.getByRole('textbox').fill('And on Sun');
    await visitor.page.evaluate(() => {
      document.open();
      document.write('<!doctype html><title>New</title><body><a href="/next">Next</a></body>');
      document.close();
    });
    await until('another room', () => visitor.joinings.length === 2);
    await visitor.waitForWindow();
    expect((await visitor.transcript()).slice(0, before.length)).toEqual(before);
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
    expect(await visitor.frame.getByText('Continue where you left off?').count()).toBe(0);

    await visitor.page.getByRole('link').click();
    await visitor.page.getByRole('heading', { name: 'Next' }).waitFor();
    await until('a room of the next page', () => visitor.joinings.length === 3);
    await visitor.waitForWindow();
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
    const [id, ...others] = visitor.joinings.map((each) => each.conversation.id);
    expect(others).toEqual([id, id]);
  });

  test('a transformed root element does not move the launcher away', async () => {
    const html = `<!doctype html><style>html{transform:translateZ(0)}body{height:4000px}</style>${SNIPPET}<body></body>`;
    const visitor = await here.arrive({ files: { '/transformed': html } });
    await until('the launcher to be in sight', async () => {
      const center = await visitor.launcher();
      return center && center.y < 800 && center.y > 700;
    });
    await visitor.open();
    await gone(visitor);
    await until('the launcher to be in sight again', async () => {
      const center = await visitor.launcher();
      return center && center.y < 800 && center.y > 700;
    });
  });
});

describe('on a single-page site', { timeout: 60_000 }, () => {
  const here = story();

  test('the agent knows which page the visitor sees now', async () => {
    const visitor = await here.arrive();
    const go = (path: string, title: string) =>
      visitor.page.evaluate(
        ([address, name]) => {
          history.pushState(null, '', address);
          document.title = name ?? '';
        },
        [path, title],
      );
    await visitor.open();
    await go('/#beans', 'Our beans');
    await visitor.sendMessage('Which page is this?');
    await visitor.waitForTurn('agent', /You are reading “Our beans”\./);
    await go('/#visit', 'Visit us');
    const informed = await until('the agent to be informed', async () => {
      await visitor.sendMessage('And which page is this?');
      const answer = await visitor.waitForTurn('agent', /You are reading “[^”]*”\. .*\.$/);
      return /Visit us/.test(answer);
    });
    expect(informed).toBe(true);
    await visitor.page.goBack();
    await until('the first title again', async () => {
      await visitor.page.evaluate(() => {
        document.title = 'Our beans again';
      });
      await visitor.sendMessage('Which page now?');
      return visitor.waitForTurn('agent', /Our beans again/, 3_000).catch(() => null);
    });
  });
});
