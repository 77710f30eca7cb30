/** `docs/site.md` says what a page can write, call and read: neither less nor more. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');
const docs = read('../docs/site.md');
const types = read('packages/web-widget/src/types.ts');

/** The text of a section, up to the next one. */
function section(title: string): string {
  const [, text] = docs.split(`\n## ${title}\n`);
  if (text === undefined) throw new Error(`docs/site.md has no section "${title}"`);
  return text.split('\n## ')[0] ?? '';
}

/** What stands between backticks in the first column of the section's table. */
function firstColumn(title: string): string[] {
  const rows = section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
}

/** The names of the members of an interface. */
function members(source: string, name: string): string[] {
  const [, body = ''] = new RegExp(`interface ${name} \\{\n(.*?)\n\\}`, 's').exec(source) ?? [];
  return [...body.matchAll(/^ {2}'?([\w-]+)'?[?:(<]/gm)].map(([, member = '']) => member);
}

/** The alternatives of a union of texts. */
function alternatives(path: string, name: string): string[] {
  const [, body = ''] = new RegExp(`type ${name} =(.*?);`, 's').exec(read(path)) ?? [];
  return [...body.matchAll(/'(\w+)'/g)].map(([, text = '']) => text);
}

const sorted = (names: string[]) => [...names].sort();

const OPTIONS = members(read('src/loader/tag.ts'), 'Options');

test('every attribute of the tag', () => {
  const attributes = OPTIONS.map(
    (name) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  expect(attributes.length).toBeGreaterThan(5);
  expect(sorted(firstColumn('Attributes'))).toEqual(sorted(attributes));
});

test('the package has the same options', () => {
  const own = ['service', 'id', 'nonce'];
  const options = members(read('packages/web-widget/src/index.ts'), 'WebWidgetOptions');
  expect(sorted(options)).toEqual(sorted([...OPTIONS, ...own]));
});

test('every function', () => {
  const names = firstColumn('Functions').map((call) => call.replace(/\(.*/, ''));
  expect(sorted(names)).toEqual(sorted(members(types, 'WebWidget')));
});

test('every event', () => {
  const events = members(types, 'WebWidgetEvents');
  const names = firstColumn('Events').filter((name) => !/^(role|visitor|agent)$/.test(name));
  expect(events.length).toBeGreaterThan(5);
  expect(sorted(names)).toEqual(sorted(events));
});

test('every code of an error that the service does not list', () => {
  const codes = [
    ...alternatives('src/window/conversation/join-problem.ts', 'JoinProblem'),
    ...alternatives('src/window/microphone.ts', 'MicrophoneProblem').map(
      (problem) => `microphone_${problem}`,
    ),
    'window_blocked',
    'unknown',
  ];
  expect(codes.length).toBeGreaterThan(12);
  expect(codes.filter((code) => !section('Events').includes(`\`${code}\``))).toEqual([]);
});

test('the example in Liquid gives a JSON object, whatever the shop writes', () => {
  const [, liquid = ''] = /```liquid\n(.*?)```/s.exec(docs) ?? [];
  // An output ends at the first brace of its end, also within a text.
  const outputs = [...liquid.matchAll(/\{\{[^{}]*\}\}/g)].map(([output]) => output);
  expect(outputs.length).toBeGreaterThan(1);
  const html = liquid.replace(/\{\{[^{}]*\}\}/g, (output) =>
    // What the filters make of the text `it's "so"`.
    output.endsWith('| json | escape }}') ? '&quot;it&#39;s \\&quot;so\\&quot;&quot;' : `it's "so"`,
  );
  const [, context = ''] = /data-context='([^']*)'/.exec(html) ?? [];
  const text = context.replaceAll('&quot;', '"').replaceAll('&#39;', "'");
  expect(JSON.parse(text)).toEqual({ template: `it's "so"` });
});

test('every line on the console that explains why there is no launcher', () => {
  const sources = ['src/loader/entry.ts', 'src/loader/widget.ts', 'src/panel/reason.ts']
    .map(read)
    .join('');
  const lines = firstColumn('The bubble does not appear').filter(
    // The browser's own.
    (line) => !line.startsWith('SyntaxError'),
  );
  expect(lines.length).toBeGreaterThan(6);
  for (const line of lines)
    for (const part of line.split('…')) expect(sources).toContain(part.replace(/https:\/\/$/, ''));
});
