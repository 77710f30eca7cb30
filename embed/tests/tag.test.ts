/** The loader finds out which widget it is for, with its own tag and without. */
import { expect, test } from 'vitest';
import { findTags, readTag } from '../src/loader/tag';

const ADDRESS = 'https://widgets.example/chat/public/embed/0197-a';

test.each([
  [ADDRESS, {}, {}],
  [`${ADDRESS}/0123abcd.js`, {}, {}],
  [`${ADDRESS}?locale=de&hidden`, {}, { locale: 'de', hidden: '' }],
  [`${ADDRESS}/0123abcd.js?theme=dark#x`, {}, { theme: 'dark' }],
  [`${ADDRESS}?theme=dark`, { theme: 'light' }, { theme: 'light' }],
])('%s with %j', (src, dataset, options) => {
  expect(readTag({ src, dataset })).toEqual({
    service: 'https://widgets.example/chat',
    id: '0197-a',
    options,
  });
});

test('a copied file names the widget and the service by attributes', () => {
  const dataset = { webWidget: '0197-a', service: 'https://widgets.example', theme: 'dark' };
  expect(readTag({ src: 'https://cdn.example/bundle.js', dataset })).toMatchObject({
    service: 'https://widgets.example',
    id: '0197-a',
    options: { theme: 'dark' },
  });
});

test.each([
  ['https://cdn.example/bundle.js', {}],
  ['https://cdn.example/bundle.js', { webWidget: '0197-a' }],
  [undefined, { service: 'https://widgets.example' }],
])('%s with %j is not one of ours', (src, dataset) => {
  expect(readTag({ ...(src && { src }), dataset })).toBeUndefined();
});

const own = { src: ADDRESS, dataset: {} };
const other = { src: ADDRESS.replace('-a', '-b'), dataset: { locale: 'de' } };
const foreign = { src: 'https://cdn.example/jquery.js', dataset: {} };
const named = { dataset: { webWidget: '0197-c', service: 'https://widgets.example' } };
const tags = [foreign, own, other, named];

test.each([
  ['its own tag', own, '', [own]],
  [
    'a module: the tag with the address of the running script',
    null,
    `at ${other.src}:1:99`,
    [other],
  ],
  ['an import in Firefox', null, `f@${other.src}:1:99\n`, [other]],
  [
    'an import without a tag',
    null,
    `at (${ADDRESS}-z?theme=dark:1:2)`,
    [{ src: `${ADDRESS}-z?theme=dark`, dataset: {} }],
  ],
  [
    'a bundle: whatever names a widget',
    foreign,
    'at https://cdn.example/jquery.js:1:2',
    [own, other, named],
  ],
])('%s', (_, current, stack, expected) => {
  expect(findTags(current, tags, stack)).toEqual(expected);
});

test('nothing is found on a page without a tag of ours', () => {
  expect(findTags(foreign, [foreign], 'at eval')).toEqual([]);
});
