/** What agents write, and what it must not be able to do. */
import { describe, expect, test } from 'vitest';
import { parseInline, parseMarkdown, safeHref } from '../src/window/markdown';

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
    const pieces = ['*', '**', '_', '`', '[', '](', ')', 'https://', 'a ', '\n', '\\', '<', '😀'];
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
      '_a '.repeat(5_000),
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
        items: [['one'], [{ type: 'strong', children: ['two'] }]],
      },
      { type: 'list', ordered: true, start: 3, items: [['three'], ['four']] },
      { type: 'code', text: 'let a = "<b>";' },
      { type: 'paragraph', children: ['End'] },
    ]);
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
