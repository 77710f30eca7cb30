/**
 * What is built uses nothing that the oldest supported browsers lack: every property, value,
 * function, selector and at-rule of the style sheets, and every interface, static function and
 * method of the scripts is looked up in MDN's compatibility data. Measures what is in `dist`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type {
  BrowserName,
  CompatStatement,
  Identifier,
  SupportStatement,
} from '@mdn/browser-compat-data';
import postcss from 'postcss';
import { parseAst, transformWithOxc } from 'vite';
import { expect, test } from 'vitest';
import { OLDEST } from '../vite.targets';

// Not by `import`: the twenty megabytes would be transformed first.
const bcd = createRequire(import.meta.url)('@mdn/browser-compat-data') as Identifier;

const BROWSERS: Record<keyof typeof OLDEST, BrowserName> = {
  chrome: 'chrome',
  edge: 'edge',
  firefox: 'firefox',
  safari: 'safari',
  ios: 'safari_ios',
};

/** Newer features whose absence changes little, each with what happens then. */
const TOLERATED: Record<string, string> = {
  'cursor: pointer': 'phones have no cursor',
  'cursor: default': 'phones have no cursor',
  'css.properties.resize': 'phones cannot resize by hand',
  'resize: none': 'phones cannot resize by hand',
  'css.properties.overscroll-behavior': 'where nothing scrolls, the page behind scrolls along',
  'css.properties.scrollbar-width': 'the scroll bar is wider',
  'scrollbar-width: thin': 'the scroll bar is wider',
  'css.properties.scrollbar-color': 'the scroll bar has the colors of the system',
  'css.properties.text-wrap': 'lines are less even',
  'text-wrap: balance': 'lines are less even',
  'css.properties.accent-color': 'controls have the color of the system',
  'css.properties.forced-color-adjust': 'these browsers have no forced colors',
  'forced-color-adjust: none': 'these browsers have no forced colors',
  '.moveBefore()': 'Preact looks for it first',
  '.destroy()': '`back.ts` looks for `CloseWatcher` first',
  // Methods of ours that have the name of a newer one.
  '.dispatch()': 'Store',
  '.fetch()': 'the browser of `findReason`',
  '.forget()': 'the conversation and its forms',
  '.format()': 'the phone numbers',
  '.run()': 'Attempt',
};

/** Supported browsers without the feature. */
function lacking(compat: CompatStatement | undefined): string[] {
  if (!compat) return [];
  return Object.entries(BROWSERS)
    .filter(([target, name]) => {
      const statement = compat.support[name] as SupportStatement | undefined;
      const all = Array.isArray(statement) ? statement : statement ? [statement] : [];
      const oldest = OLDEST[target as keyof typeof OLDEST];
      return !all.some(({ version_added, version_removed, flags, prefix, alternative_name }) => {
        // Under another name, it is another feature.
        if (flags || prefix || alternative_name) return false;
        if (version_removed || version_added === 'preview') return false;
        return typeof version_added === 'string' && !isNewer(version_added, oldest);
      });
    })
    .map(([target]) => `${target} ${OLDEST[target as keyof typeof OLDEST]}`);
}

function isNewer(version: string, than: string): boolean {
  const [a = [], b = []] = [version, than].map((each) =>
    each.replace('≤', '').split('.').map(Number),
  );
  for (const index of [0, 1]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference) return difference > 0;
  }
  return false;
}

function look(...path: string[]): Identifier | undefined {
  let found: Identifier | undefined = bcd;
  for (const name of path) found = found && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

class Findings {
  readonly lines = new Set<string>();

  add(name: string, entry: Identifier | undefined) {
    const missing = lacking(entry?.__compat);
    if (missing.length && !TOLERATED[name]) this.lines.add(`${name}: ${missing.join(', ')}`);
  }
}

/** Properties of the syntax of values that are types of their own. */
const TYPES = Object.values(look('css', 'types') ?? {}) as Identifier[];

function checkStyles(css: string): string[] {
  const findings = new Findings();
  const root = postcss.parse(css);
  root.walkAtRules(({ name, params }) => {
    findings.add(`css.at-rules.${name}`, look('css', 'at-rules', name));
    for (const [feature] of params.matchAll(/[a-z-]+(?=\s*[:)])/g))
      findings.add(`@${name} ${feature}`, look('css', 'at-rules', name, feature));
  });
  root.walkRules(({ selector }) => {
    for (const [, name] of selector.matchAll(/::?([a-z-]+)/g))
      findings.add(`css.selectors.${name}`, look('css', 'selectors', name as string));
  });
  root.walkDecls(({ prop, value }) => {
    if (prop.startsWith('-webkit-')) return;
    const property = look('css', 'properties', prop);
    findings.add(`css.properties.${prop}`, property);
    for (const [word] of value.matchAll(/[a-z][a-z-]*[a-z]/g))
      if (property) findings.add(`${prop}: ${word}`, property[word]);
    for (const [, name] of value.matchAll(/([a-z-]+)\(/g))
      for (const type of TYPES) findings.add(`${name}()`, memberOf(type, name as string));
  });
  return [...findings.lines];
}

function memberOf(type: Identifier, name: string): Identifier | undefined {
  return Object.hasOwn(type, name) ? type[name] : undefined;
}

interface AstNode {
  type: string;
  [key: string]: unknown;
}

/** Where the interfaces and built-in objects are. */
const GLOBALS = [look('api'), look('javascript', 'builtins')] as Identifier[];

/** Every description of a method or property of this name, whatever it belongs to. */
function membersNamed(name: string): CompatStatement[] {
  return GLOBALS.flatMap((group) =>
    Object.values(group).flatMap((owner) => {
      const type = owner as Identifier | undefined;
      const members = type ? [memberOf(type, name), memberOf(type, `${name}_static`)] : [];
      return members.flatMap((member) => member?.__compat ?? []);
    }),
  );
}

/** The style sheets that a script contains as text. */
function stylesIn(code: string): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && /^[.#@:*\w][^{}]*\{[^{}]*:[^{}]*\}/.test(value))
      found.add(value);
    else if (typeof value === 'object' && value)
      for (const each of Object.values(value)) visit(each);
  };
  visit(parseAst(code));
  return [...found];
}

function checkScript(code: string): string[] {
  const findings = new Findings();
  const declared = new Set(
    [...code.matchAll(/(?:var|let|const|function|class|,)\s*([A-Z]\w*)\s*(?:=|\(|\{)/g)].map(
      ([, name]) => name,
    ),
  );
  const isGlobal = ({ type, name }: AstNode) =>
    type === 'Identifier' && /^[A-Z]/.test(String(name)) && !declared.has(String(name));
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const each of value) visit(each);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const node = value as AstNode;
    if (isGlobal(node))
      for (const group of GLOBALS)
        findings.add(String(node.name), memberOf(group, String(node.name)));
    if (node.type === 'MemberExpression' && !node.computed) {
      const owner = node.object as AstNode;
      const name = String((node.property as AstNode).name);
      if (isGlobal(owner)) {
        for (const group of GLOBALS) {
          const type = memberOf(group, String(owner.name));
          const member = type && (memberOf(type, `${name}_static`) ?? memberOf(type, name));
          findings.add(`${owner.name}.${name}`, member);
        }
      }
    }
    // A method that no interface has in all browsers; `x.method?.()` asks first.
    if (node.type === 'CallExpression' && !node.optional) {
      const callee = node.callee as AstNode;
      if (callee.type === 'MemberExpression' && !callee.computed && !callee.optional) {
        const name = String((callee.property as AstNode).name);
        // One letter is a name that the minifier gave.
        const known = name.length > 1 ? membersNamed(name) : [];
        if (known.length && known.every((each) => lacking(each).length))
          findings.add(`.${name}()`, { __compat: known[0] } as Identifier);
      }
    }
    // Names of properties are not globals.
    for (const [name, child] of Object.entries(node))
      if (node.computed || (name !== 'key' && name !== 'property')) visit(child);
  };
  visit(parseAst(code));
  return [...findings.lines];
}

const ASSETS = 'dist/window/assets';
const read = (name: string) => readFileSync(name, 'utf8');
const assets = (end: string) =>
  readdirSync(ASSETS)
    // Guards what it uses itself, for browsers older than ours.
    .filter((name) => name.endsWith(end) && !name.startsWith('livekit-room'))
    .map((name) => `${ASSETS}/${name}`);

test.each([...assets('.css')])('%s uses no style that is too new', (file) => {
  expect(checkStyles(read(file))).toEqual([]);
});

test.each(['Form', 'voice-extras'])('the styles in %s are not too new either', (part) => {
  const [script = ''] = assets('.js').filter((name) => name.includes(`/${part}-`));
  const styles = stylesIn(read(script));
  expect(styles).toHaveLength(1);
  expect(styles.flatMap(checkStyles)).toEqual([]);
});

test.each(['dist/loader.js', 'dist/panel.js', 'dist/preview-page.js', ...assets('.js')])(
  '%s uses no function that is too new',
  (file) => {
    expect(checkScript(read(file))).toEqual([]);
  },
);

// In one file with LiveKit's own code, which is left out.
test.each([
  'src/window/livekit-room.ts',
  'src/window/conversation/room-talk.ts',
  'src/window/conversation/agent-watch.ts',
])('%s uses no function that is too new', async (file) => {
  const { code } = await transformWithOxc(read(file), file);
  expect(checkScript(code)).toEqual([]);
});

test.each(['src/loader/launcher.css', 'src/panel/panel.css'])(
  '%s uses no style that is too new',
  (file) => {
    expect(checkStyles(read(file))).toEqual([]);
  },
);

test('what is too new is found', () => {
  expect(checkStyles('a{color:light-dark(#000,#fff)}').join()).toContain('ios 16.4');
  expect(checkStyles('a{field-sizing:content}').join()).toContain('field-sizing');
  expect(checkStyles('a{text-wrap:pretty}').join()).toContain('pretty');
  expect(checkStyles('a{text-align:match-parent}').join()).toContain('match-parent');
  expect(checkStyles('@starting-style{a{top:0}}').join()).toContain('starting-style');
  expect(checkStyles('a{color:red;gap:1px}')).toEqual([]);
  expect(checkScript('Object.groupBy([], String)').join()).toContain('ios 16.4');
  expect(checkScript('new CloseWatcher()').join()).toContain('CloseWatcher');
  expect(checkScript('node.togglePopover(true)').join()).toContain('togglePopover');
  expect(checkScript('node.togglePopover?.(true); [].findLast(String)')).toEqual([]);
});
