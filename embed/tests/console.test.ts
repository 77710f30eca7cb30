/** Every line on the console of a page says where it comes from. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDERS = ['src', 'packages/web-widget/src'];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name)),
);

/** The beginning of each use of the console outside comments. */
const uses = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^(?!\s*(?:\*|\/[/*])).*?\bconsole(\..{0,24})/gm)].map(
    ([, use]) => `${file}: ${use}`,
  ),
);

test('there are such lines', () => {
  expect(uses.length).toBeGreaterThan(3);
});

test.each(uses)('%s', (use) => {
  expect(use).toMatch(/: \.(warn|error)\(['`]Web widget:/);
});
