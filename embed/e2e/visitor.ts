/**
 * A visitor on the demo site: opens the page, the widget and the microphone, and reads the window.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Frame, Locator, Page } from 'playwright-core';
import type { Joining } from '../src/generated/api';
import { installProbe, type Probe } from './probe';
import { system, until } from './system';

declare global {
  interface Window {
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL(url: string): string },
      ): { createScriptURL(url: string): unknown };
    };
  }
}

export interface VisitorOptions {
  /** Whether the browser allows the microphone without asking; otherwise it denies it. */
  microphone?: boolean;
  scheme?: 'light' | 'dark';
  size?: { width: number; height: number };
  phone?: boolean;
  locale?: string;
  /** The path on the site, if neither `/` nor that of the first file. */
  path?: string;
  /** Pages and scripts of the site beside those that it has, by path. */
  files?: Record<string, string>;
  /** The address of the page, if it is not on the site. */
  url?: string;
  /** The widget on the page, if not that of the demo. */
  widgetId?: string;
  /** Sources that run in every page and frame before its own scripts. */
  scripts?: string[];
}

export class Visitor {
  /** The requests to the service so far, as method and path. */
  readonly requests: string[] = [];
  /** What the page and its frames wrote to the console. */
  readonly console: string[] = [];
  /** The service's answers to starts and resumes, oldest first. */
  readonly joinings: Joining[] = [];
  /** Participant tokens that LiveKit itself issued, oldest first. */
  readonly refreshedTokens: string[] = [];
  #devtools: Promise<CDPSession> | undefined;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** A visitor who was never here before. */
  static async arrive(browser: Browser, options: VisitorOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({
      colorScheme: options.scheme ?? 'light',
      viewport: options.size ?? { width: 1280, height: 800 },
      reducedMotion: 'reduce',
      locale: options.locale ?? 'en-GB',
      ...(options.phone && { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }),
    });
    await context.addInitScript(installProbe, !!options.microphone);
    for (const content of options.scripts ?? []) await context.addInitScript({ content });
    if (options.microphone) {
      // For the host page: the frame inherits it through its `allow`.
      for (const origin of [system.site, system.service])
        await context.grantPermissions(['microphone'], { origin });
    }
    const { widgetId } = options;
    if (widgetId)
      await context.route(`${system.service}/public/embed/${system.widgetId}`, (route) =>
        route.abort(),
      );
    const page = await context.newPage();
    const visitor = new Visitor(context, page);
    visitor.#observe();
    const { files = {}, path = Object.keys(files)[0] ?? '/' } = options;
    for (const [path, body] of Object.entries(files)) await visitor.serve(path, body);
    await page.goto(options.url ?? `${system.site}${path}`);
    if (widgetId) await visitor.addWidget(widgetId);
    return visitor;
  }

  /** Serves a page of the site, in all tabs. */
  async serve(path: string, body: string): Promise<void> {
    const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8';
    await this.context.route(`${system.site}${path}`, (route) =>
      route.fulfill({ contentType, body }),
    );
  }

  /** Serves a page, and goes there. */
  async visit(path: string, html: string): Promise<void> {
    await this.serve(path, html);
    await this.page.goto(`${system.site}${path}`);
  }

  /** Adds the script of a widget to the page, as a page under Trusted Types has to. */
  async addWidget(id: string): Promise<void> {
    await this.page.evaluate(
      (src) =>
        new Promise((resolve) => {
          const policy = window.trustedTypes?.createPolicy(`copy-${Math.random()}`, {
            createScriptURL: (url: string) => url,
          });
          const script = document.createElement('script');
          script.src = (policy?.createScriptURL(src) ?? src) as string;
          script.onload = resolve;
          document.head.append(script);
        }),
      `${system.service}/public/embed/${id}`,
    );
  }

  /** Another tab of the same browser. */
  async openTab(): Promise<Visitor> {
    const tab = new Visitor(this.context, await this.context.newPage());
    tab.#observe();
    await tab.page.goto(this.page.url());
    return tab;
  }

  #observe() {
    const { page } = this;
    page.on('console', (message) => this.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.console.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url().startsWith(system.service))
        this.requests.push(`${request.method()} ${request.url().slice(system.service.length)}`);
    });
    page.on('response', async (response) => {
      const { pathname } = new URL(response.url());
      if (response.request().method() !== 'POST' || !response.ok()) return;
      if (!/\/conversations(\/[^/]+\/resume)?$/.test(pathname)) return;
      // A page that was left does not give it anymore.
      const joining: Joining | null = await response.json().catch(() => null);
      if (joining) this.joinings.push(joining);
    });
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const tokens = payload.toString('latin1').match(/eyJ[\w-]+\.[\w-]+\.[\w-]{43}/g);
        this.refreshedTokens.push(...(tokens ?? []));
      }),
    );
  }

  // The launcher, in a closed shadow root that only the browser's own tools can read

  /** The center of the launcher's button, in pixels of the page; null while it is not drawn. */
  launcher(): Promise<{ x: number; y: number } | null> {
    return this.#centerOf((node) => hasClass(node, 'BUTTON', 'b'));
  }

  /** The same of a suggested question beside it. */
  suggestion(text: string): Promise<{ x: number; y: number } | null> {
    return this.#centerOf(
      (node) => node.nodeName === 'BUTTON' && node.children?.[0]?.nodeValue === text,
    );
  }

  async #centerOf(matches: (node: Node) => boolean): Promise<{ x: number; y: number } | null> {
    this.#devtools ??= this.context.newCDPSession(this.page);
    try {
      const devtools = await this.#devtools;
      const { root } = await devtools.send('DOM.getDocument', { depth: -1, pierce: true });
      const host = findNode(root as Node, (node) => node.nodeName === 'WEB-WIDGET');
      const button = host && findNode(host, matches);
      if (!button) return null;
      const { model } = await devtools.send('DOM.getBoxModel', {
        backendNodeId: button.backendNodeId,
      });
      const [left, top, , , right, bottom] = model.border as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return { x: (left + right) / 2, y: (top + bottom) / 2 };
    } catch {
      return null;
    }
  }

  /** Clicks the launcher with the mouse and waits for the window. */
  async open(): Promise<void> {
    await this.#tap(await until('the launcher to be drawn', () => this.launcher()));
  }

  /** Clicks a suggested question of the closed launcher, and waits for the window. */
  async openWith(question: string): Promise<void> {
    await this.#tap(await until('the suggestion to be drawn', () => this.suggestion(question)));
  }

  async #tap({ x, y }: { x: number; y: number }) {
    await this.page.mouse.click(x, y);
    await this.waitForWindow();
  }

  /** Waits for a window that opens without a click of this visitor. */
  async waitForWindow(): Promise<void> {
    await until('the window to be there', () => this.page.frames().some(isWindow));
    await this.frame.getByRole('dialog').waitFor();
  }

  async reload(): Promise<void> {
    await this.page.reload();
  }

  /** Leaves for another page first: a closed context says no good-bye, and the agent waits on. */
  async leave(): Promise<void> {
    await Promise.all(this.context.pages().map((page) => page.goto('about:blank').catch(() => {})));
    await this.context.close();
  }

  // The window

  get frame(): Frame {
    const frame = this.page.frames().find(isWindow);
    if (!frame) throw new Error('there is no window yet');
    return frame;
  }

  /** Writes a message into the input and sends it. */
  async sendMessage(text: string): Promise<void> {
    const input = this.frame.locator('.composer textarea');
    await input.click();
    await this.page.keyboard.insertText(text);
    await this.page.keyboard.press('Enter');
  }

  /** Ends the conversation, and confirms it. */
  async end(): Promise<void> {
    await this.choose('End conversation');
    await this.button('End conversation').click();
  }

  /** Has the window try at once what it tries again by itself, which it may just have done. */
  async tryNow(name = 'Try now'): Promise<void> {
    if (await this.button(name).isVisible())
      await this.button(name)
        .click({ timeout: 1_000 })
        .catch(() => {});
  }

  /** Chooses from the menu of the heading. */
  async choose(item: string): Promise<void> {
    await this.button('Menu').click();
    await this.frame.getByRole('menuitem', { name: item, exact: true }).click();
  }

  button(name: string): Locator {
    return this.frame.getByRole('button', { name, exact: true });
  }

  /** The turns that the window shows. */
  async transcript(): Promise<{ role: 'visitor' | 'agent'; text: string }[]> {
    return this.frame.evaluate(() =>
      [...document.querySelectorAll('.turn.visitor, .turn.agent')]
        .filter((turn) => !turn.querySelector('.dots'))
        .map((turn) => ({
          role: turn.classList.contains('agent') ? 'agent' : 'visitor',
          text: turn.querySelector<HTMLElement>('.bubble')?.innerText.trim() ?? '',
        })),
    );
  }

  /** Waits for a turn that matches, and returns its text. */
  async waitForTurn(role: 'visitor' | 'agent', pattern: RegExp, timeout = 20_000): Promise<string> {
    let shown: unknown;
    return until(
      `a turn of the ${role} that matches ${pattern}`,
      async () => {
        const turns = await this.transcript();
        shown = turns;
        return turns.findLast((turn) => turn.role === role && pattern.test(turn.text))?.text;
      },
      timeout,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; the window shows ${JSON.stringify(shown)}`);
    });
  }

  /** What the probe in the window has recorded. */
  async probe(): Promise<Probe> {
    return this.frame.evaluate(() => window.storyProbe);
  }

  /** Violations of a Content-Security-Policy, in the page and in the window. */
  async violations(): Promise<string[]> {
    const each = await Promise.all(
      this.page.frames().map((frame) => frame.evaluate(() => window.storyProbe?.violations ?? [])),
    );
    return each.flat();
  }

  /** Errors on the console. */
  consoleErrors(): string[] {
    return this.console.filter((line) => line.startsWith('error'));
  }

  /** Saves a picture of the page, where pictures are wanted. */
  async screenshot(name: string): Promise<void> {
    if (system.savesPictures) await this.#picture(name);
  }

  async #picture(name: string): Promise<void> {
    const path = join(system.output, `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
  }

  /** Writes down what helps to understand a failure. */
  async saveEvidence(name: string): Promise<void> {
    const file = name.replace(/[^a-z0-9]+/gi, '-').toLowerCase();
    await this.#picture(`failed-${file}`).catch(() => {});
    const lines = [
      '# requests',
      ...this.requests,
      '# console',
      ...this.console,
      '# transcript',
      JSON.stringify(await this.transcript().catch(String), null, 1),
    ];
    writeFileSync(join(system.output, `failed-${file}.txt`), lines.join('\n'));
  }
}

function isWindow(frame: Frame): boolean {
  const { href, origin, pathname } = new URL(frame.url(), system.site);
  return (
    href === frame.url() &&
    origin === system.service &&
    /^(\/public\/preview\/[\w-]+)?\/public\/widget\//.test(pathname)
  );
}

interface Node {
  nodeName: string;
  nodeValue?: string;
  backendNodeId: number;
  attributes?: string[];
  children?: Node[];
  shadowRoots?: Node[];
}

function findNode(node: Node, matches: (node: Node) => boolean): Node | null {
  if (matches(node)) return node;
  for (const child of [...(node.children ?? []), ...(node.shadowRoots ?? [])]) {
    const found = findNode(child, matches);
    if (found) return found;
  }
  return null;
}

function hasClass(node: Node, name: string, wanted: string): boolean {
  const { attributes = [] } = node;
  const classes = attributes[attributes.indexOf('class') + 1] ?? '';
  return (
    node.nodeName === name && attributes.includes('class') && classes.split(' ').includes(wanted)
  );
}
