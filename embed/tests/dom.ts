/** As much of a document as launcher, panel and Preact need, for tests without a browser. */
import { vi } from 'vitest';

export class FakeNode extends EventTarget {
  [property: string]: unknown;
  parentNode: FakeNode | null = null;
  childNodes: FakeNode[] = [];
  attributes: Record<string, string> = {};
  data = '';
  style = { setProperty() {} };
  classes = new Set<string>();
  classList = {
    add: (...names: string[]) => names.forEach((name) => void this.classes.add(name)),
    remove: (...names: string[]) => names.forEach((name) => void this.classes.delete(name)),
    toggle: (name: string, isOn: boolean) =>
      isOn ? this.classList.add(name) : this.classList.remove(name),
    contains: (name: string) => this.classes.has(name),
  };

  constructor(
    readonly localName: string,
    readonly ownerDocument: FakeDocument,
  ) {
    super();
  }

  get nodeType() {
    return this.localName === '#text' ? 3 : 1;
  }

  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null;
  }

  get nextSibling(): FakeNode | null {
    const { childNodes = [] } = this.parentNode ?? {};
    return childNodes[childNodes.indexOf(this) + 1] ?? null;
  }

  get textContent(): string {
    return this.data + this.childNodes.map(({ textContent }) => textContent).join('');
  }

  set textContent(text: string) {
    // Browsers write whatever it is as text.
    this.replaceChildren(`${text}`);
  }

  /** Like a browser, takes the focus from what is removed, and from what is only moved. */
  remove() {
    const { activeElement } = this.ownerDocument;
    for (let node = activeElement; node; node = node.parentNode)
      if (node === this) this.ownerDocument.activeElement = null;
    const siblings = this.parentNode?.childNodes;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parentNode = null;
  }

  removeChild(node: FakeNode) {
    node.remove();
  }

  insertBefore(node: FakeNode, before: FakeNode | null) {
    node.remove();
    const index = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(index, 0, node);
    node.parentNode = this;
  }

  append(...nodes: (FakeNode | string)[]) {
    for (const node of nodes) this.insertBefore(this.ownerDocument.nodeOf(node), null);
  }

  prepend(...nodes: (FakeNode | string)[]) {
    const first = this.firstChild;
    for (const node of nodes) this.insertBefore(this.ownerDocument.nodeOf(node), first);
  }

  replaceChildren(...nodes: (FakeNode | string)[]) {
    for (const node of [...this.childNodes]) node.remove();
    this.append(...nodes);
  }

  setAttribute(name: string, value: string) {
    this.attributes[name] = value;
  }

  removeAttribute(name: string) {
    delete this.attributes[name];
  }

  focus() {
    this.ownerDocument.activeElement = this;
  }

  /** As the page hides the launcher: without a place on the page, nothing gets the focus. */
  hide() {
    this.focus = () => {};
  }

  get isConnected(): boolean {
    for (let node: FakeNode | null = this; node; node = node.parentNode)
      if (node === this.ownerDocument.documentElement) return true;
    return false;
  }

  attachShadow() {
    this.shadowRoot = new FakeRoot('#shadow-root', this.ownerDocument);
    return this.shadowRoot;
  }

  /** Knows `:focus`, `:focus-within` and `:read-write` only. */
  matches(selector: string) {
    const { activeElement } = this.ownerDocument;
    if (selector === ':read-write') return /^(input|textarea)$/.test(this.localName);
    if (selector === ':focus') return activeElement === this;
    for (let node = activeElement; node; node = node.parentNode) if (node === this) return true;
    return false;
  }
}

/** The inside of a shadow root. */
export class FakeRoot extends FakeNode {
  /** What has the focus in here. */
  get activeElement(): FakeNode | null {
    return this.matches(':focus-within') ? this.ownerDocument.activeElement : null;
  }
}

export class FakeDocument extends EventTarget {
  title = '';
  readyState = 'complete';
  activeElement: FakeNode | null = null;
  documentElement = new FakeNode('html', this);
  body = new FakeNode('body', this);
  createElement = (name: string) => new FakeNode(name, this);
  createElementNS = (_: string, name: string) => new FakeNode(name, this);
  createTextNode = (text: string) => Object.assign(new FakeNode('#text', this), { data: text });
  nodeOf = (node: FakeNode | string) =>
    typeof node === 'string' ? this.createTextNode(node) : node;

  constructor() {
    super();
    this.documentElement.append(this.body);
  }
}

/** Installs a document, until the stubs are removed. */
export function stubDocument(): FakeDocument {
  const document = new FakeDocument();
  vi.stubGlobal('document', document);
  return document;
}

/** A fake node where the code expects a real one, and the other way around. */
export const real = <T = HTMLElement>(node: FakeNode) => node as unknown as T;
export const fake = (node: unknown) => node as FakeNode;
