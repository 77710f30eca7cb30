/** What agents write, and what it must not be able to do. */
import { describe, expect, test, vi } from 'vitest';
import {
  type Block,
  type Inline,
  parseInline,
  parseMarkdown,
  plainTextOf,
  safeHref,
} from '../src/window/markdown';

const words = (...children: Inline[]): Block => ({ type: 'paragraph', children });
const link = (href: string, text: string) => ({ type: 'link', href, children: [text] });

describe('inline', () => {
  test.each([
    ['plain words', ['plain words']],
    [
      '**bold** and *soft*',
      [{ type: 'strong', children: ['bold'] }, ' and ', { type: 'em', children: ['soft'] }],
    ],
    ['__bold__', [{ type: 'strong', children: ['bold'] }]],
    ['snake_case_name stays', ['snake_case_name stays']],
    ['2 * 3 * 4', ['2 * 3 * 4']],
    ['an open **star', ['an open **star']],
    ['`a*b*c`', [{ type: 'code', text: 'a*b*c' }]],
    ['\\*not soft\\*', ['*not soft*']],
    ['one\ntwo', ['one', { type: 'break' }, 'two']],
    [
      '**bold *and soft* here**',
      [{ type: 'strong', children: ['bold ', { type: 'em', children: ['and soft'] }, ' here'] }],
    ],
    ['[shop](https://shop.example/a)', [link('https://shop.example/a', 'shop')]],
    [
      'see https://shop.example/a_b.',
      ['see ', link('https://shop.example/a_b', 'https://shop.example/a_b'), '.'],
    ],
    ['(https://shop.example)', ['(', link('https://shop.example/', 'https://shop.example'), ')']],
    ['mailto:help@shop.example', [link('mailto:help@shop.example', 'mailto:help@shop.example')]],
    ['<b>&amp;', ['<b>&amp;']],
    ['~~old~~ new', [{ type: 'del', children: ['old'] }, ' new']],
    ['about ~5 to ~10', ['about ~5 to ~10']],
    ['![the shop](https://shop.example/a.png)', [link('https://shop.example/a.png', 'the shop')]],
    [
      '![](https://shop.example/a.png "Shop")',
      [link('https://shop.example/a.png', 'https://shop.example/a.png')],
    ],
    ['You have **3** items', ['You have ', { type: 'strong', children: ['3'] }, ' items']],
    [
      '**A** or __B__ or ~~C~~',
      [
        { type: 'strong', children: ['A'] },
        ' or ',
        { type: 'strong', children: ['B'] },
        ' or ',
        { type: 'del', children: ['C'] },
      ],
    ],
    ['***both***', [{ type: 'strong', children: [{ type: 'em', children: ['both'] }] }]],
    ['___both___', [{ type: 'strong', children: [{ type: 'em', children: ['both'] }] }]],
    [
      '**bold *both***',
      [{ type: 'strong', children: ['bold ', { type: 'em', children: ['both'] }] }],
    ],
    ['five stars: *****', ['five stars: *****']],
    ['\\$12 \\~ \\| \\> \\< \\" \\a', ['$12 ~ | > < " \\a']],
    [
      '[**Shop** at https://shop.example](https://shop.example/a)',
      [
        {
          type: 'link',
          href: 'https://shop.example/a',
          children: [{ type: 'strong', children: ['Shop'] }, ' at https://shop.example'],
        },
      ],
    ],
    [
      '[](https://shop.example/_a_)',
      [link('https://shop.example/_a_', 'https://shop.example/_a_')],
    ],
    [
      '詳しくはhttps://shop.example/helpをご覧ください。',
      [
        '詳しくは',
        link('https://shop.example/help', 'https://shop.example/help'),
        'をご覧ください。',
      ],
    ],
    [
      '(https://shop.example/a)。',
      ['(', link('https://shop.example/a', 'https://shop.example/a'), ')。'],
    ],
    ['https://shop.example/에서', [link('https://shop.example/', 'https://shop.example/'), '에서']],
    ['https://shop.example/a؟', [link('https://shop.example/a', 'https://shop.example/a'), '؟']],
    [
      'https://shop.example/a، ثم',
      [link('https://shop.example/a', 'https://shop.example/a'), '، ثم'],
    ],
    [
      '«https://shop.example/a».',
      ['«', link('https://shop.example/a', 'https://shop.example/a'), '».'],
    ],
    ['one<br>two<br/>three', ['one', { type: 'break' }, 'two', { type: 'break' }, 'three']],
  ])('%s', (text, expected) => {
    expect(parseInline(text)).toEqual(expected);
  });

  test.each([
    '[x](javascript:alert(1))',
    '[x](data:text/html,x)',
    '[x](//shop.example)',
    '[x](/relative)',
    '[x](java\tscript:alert(1))',
    'javascript:alert(1)',
    '![picture](javascript:x)',
  ])('%s is not a link', (text) => {
    expect(JSON.stringify(parseInline(text))).not.toContain('"link"');
  });

  test('a visitor’s text keeps its stars and gets its links', () => {
    expect(parseInline('*a* https://shop.example/', 0, true)).toEqual([
      '*a* ',
      link('https://shop.example/', 'https://shop.example/'),
    ]);
  });

  test('random and hostile input is parsed without errors', () => {
    const pieces = [
      ...['*', '**', '_', '`', '[', '](', ')', 'https://', 'a ', '\n', '\\', '<', '😀'],
      ...['~~', '|', '\n|-|-|\n', '\n> ', '\n- ', '\n  1. ', '\n---\n', '![', '\n```\n', '  '],
    ];
    let seed = 7;
    const next = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed;
    };
    for (let round = 0; round < 300; round += 1) {
      const text = Array.from({ length: 400 }, () => pieces[next() % pieces.length]).join('');
      expect(() => parseMarkdown(text)).not.toThrow();
    }
    const bombs = [
      '*'.repeat(20_000),
      '['.repeat(20_000),
      '**a'.repeat(5_000),
      '**a*'.repeat(5_000),
      '***a'.repeat(5_000),
      `[${'**a'.repeat(90)}](https://shop.example) `.repeat(60),
      '_a '.repeat(5_000),
      '~~a'.repeat(5_000),
      '!['.repeat(10_000),
      '> '.repeat(10_000),
      '- '.repeat(10_000),
      '|'.repeat(20_000),
      '|a|b|\n|-|-|\n'.repeat(3_000),
      `${' '.repeat(20_000)}- a`,
      '- a\n\n'.repeat(5_000),
      Array.from({ length: 300 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n'),
    ];
    for (const bomb of bombs) expect(parseMarkdown(bomb).length).toBeGreaterThan(0);
  });
});

describe('blocks', () => {
  test('paragraphs, lists and code', () => {
    const text =
      '# Title\n\nFirst\nline\n- one\n- **two**\n\n3. three\n4. four\n```js\nlet a = "<b>";\n```\nEnd';
    expect(parseMarkdown(text)).toEqual([
      { type: 'paragraph', children: [{ type: 'strong', children: ['Title'] }] },
      { type: 'paragraph', children: ['First', { type: 'break' }, 'line'] },
      {
        type: 'list',
        ordered: false,
        start: 1,
        items: [[words('one')], [words({ type: 'strong', children: ['two'] })]],
      },
      { type: 'list', ordered: true, start: 3, items: [[words('three')], [words('four')]] },
      { type: 'code', text: 'let a = "<b>";' },
      { type: 'paragraph', children: ['End'] },
    ]);
  });

  test.each([
    ['# Title', 'Title'],
    ['   ###### Title', 'Title'],
    ['## Title ##', 'Title'],
    ['# Title#', 'Title'],
    ['#   Title  ###   ', 'Title'],
    ['# C# and F#', 'C# and F'],
    ['# a # #', 'a #'],
    ['# #', ''],
    ['# ', ''],
  ])('%j is a heading', (text, title) => {
    const children = title ? [title] : [];
    expect(parseMarkdown(text)).toEqual([words({ type: 'strong', children })]);
  });

  test.each(['#Title', '####### Title', '#', '    # Title'])('%j is not a heading', (text) => {
    expect(JSON.stringify(parseMarkdown(text))).not.toContain('strong');
  });

  // A pattern that tries a run again from each of its characters would take minutes.
  test.each([
    ['a heading', `# a${' '.repeat(100_000)}b`],
    ['a heading with marks', `# a${'#'.repeat(100_000)}b`],
    ['a heading with a separator', `#${' '.repeat(300_000)}a\u2028b`],
    ['an item with a separator', `-${' '.repeat(300_000)}a\u2028b`],
    ['a table', `a | b\n- | -${' '.repeat(300_000)}x`],
    ['a rule', `-${' '.repeat(100_000)}-${' '.repeat(100_000)}x`],
  ])('%s with a long run is read at once', (_, text) => {
    expect(parseMarkdown(text).length).toBeGreaterThan(0);
  });

  test('lists nest, whatever the agent indents by', () => {
    const nested = (inner: Block): Block => ({
      type: 'list',
      ordered: true,
      start: 1,
      items: [[words('one'), inner], [words('two')]],
    });
    const inner: Block = {
      type: 'list',
      ordered: false,
      start: 1,
      items: [[words('a')], [words('b')]],
    };
    for (const indent of ['  ', '   ', '    '])
      expect(parseMarkdown(`1. one\n${indent}- a\n${indent}- b\n2. two`)).toEqual([nested(inner)]);
    expect(parseMarkdown('1. one\n\n   - a\n   - b\n\n2. two')).toEqual([nested(inner)]);
  });

  test('an item keeps its further paragraphs and its code', () => {
    expect(parseMarkdown('- one\n\n  more\n  ```\n  let a\n    b\n  ```\nend')).toEqual([
      {
        type: 'list',
        ordered: false,
        start: 1,
        items: [[words('one'), words('more'), { type: 'code', text: 'let a\n  b' }]],
      },
      words('end'),
    ]);
  });

  test('quotes contain blocks', () => {
    expect(parseMarkdown('> one\n>\n> - two\nend')).toEqual([
      {
        type: 'quote',
        children: [
          words('one'),
          { type: 'list', ordered: false, start: 1, items: [[words('two')]] },
        ],
      },
      words('end'),
    ]);
  });

  test('rules', () => {
    for (const rule of ['---', '***', '___', '- - -', '* * *'])
      expect(parseMarkdown(`a\n\n${rule}\nb`), rule).toEqual([
        words('a'),
        { type: 'rule' },
        words('b'),
      ]);
  });

  test('tables', () => {
    const text = '| Size | *Price* |\n|:-----|------:|\n| small \\| tiny | `3` |\n| big |\n\nend';
    expect(parseMarkdown(text)).toEqual([
      {
        type: 'table',
        align: ['left', 'right'],
        head: [['Size'], [{ type: 'em', children: ['Price'] }]],
        rows: [
          [['small | tiny'], [{ type: 'code', text: '3' }]],
          [['big'], []],
        ],
      },
      words('end'),
    ]);
    expect(parseMarkdown('a | b\n:-: | -').at(0)).toMatchObject({ align: ['center', null] });
  });

  test('a table that is still being written, or is none, is text', () => {
    for (const text of ['| a | b |', '| a | b |\n|-', 'a | b\nc | d', '| a | b |\n|---|'])
      expect(parseMarkdown(text).map(({ type }) => type)).toEqual(['paragraph']);
  });

  test('each row is split once, and no other line', () => {
    const split = vi.spyOn(String.prototype, 'split');
    const row = `|${'a|'.repeat(12)}\n`;
    parseMarkdown(`${'words\n'.repeat(50)}\n${row}|${'-|'.repeat(12)}\n${row.repeat(30)}`);
    const { length } = split.mock.calls;
    split.mockRestore();
    // Once for the lines; the head and the line below it, once to compare and once to read.
    expect(length).toBe(1 + 4 + 30);
  });

  test('plain text says what is seen', () => {
    const text =
      '# Hi\n\n**Two** [things](https://shop.example/):\n\n1. one\n   - a\n2. `two`\n\n> so\n\n|A|B|\n|-|-|\n|1|2|\n\n---\n![pic](https://shop.example/a.png)';
    expect(plainTextOf(parseMarkdown(text))).toBe(
      'Hi\n\nTwo things:\n\n1. one\n  • a\n2. two\n\nso\n\nA, B\n1, 2\n\npic',
    );
  });

  test('a fence that is not closed yet is code already', () => {
    expect(parseMarkdown('```\nlet a')).toEqual([{ type: 'code', text: 'let a' }]);
  });

  test('nothing gives nothing', () => {
    expect(parseMarkdown('')).toEqual([]);
  });
});

test('only web and mail addresses become links', () => {
  expect(safeHref('HTTPS://shop.example')).toBe('https://shop.example/');
  expect(safeHref('https://')).toBeNull();
  expect(safeHref(' https://shop.example')).toBeNull();
  expect(safeHref('ftp://shop.example')).toBeNull();
});
