/**
 * Telephone numbers are read as libphonenumber reads them, in the window and in core. Core has the
 * lengths of its metadata as a table, which this test compares with the metadata, and writes with
 * `npx vitest run -u tests/phone.test.ts`.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { countryOf, readPhone } from '../src/window/forms/phone';

interface Plan {
  code: string;
  lengths: number[];
}

const require = createRequire(import.meta.url);
const metadata = JSON.parse(
  readFileSync(require.resolve('libphonenumber-js/metadata.min.json'), 'utf8'),
);
const examples: Record<string, string> = JSON.parse(
  readFileSync(require.resolve('libphonenumber-js/examples.mobile.json'), 'utf8'),
);

/** Calling codes with the lengths of their numbers; the main country decides for the others. */
const plans: Plan[] = [
  ...Object.entries<string[]>(metadata.country_calling_codes).map(([code, [main]]) => ({
    code,
    lengths: metadata.countries[main as string][3],
  })),
  ...Object.entries<unknown[]>(metadata.nonGeographic).map(([code, plan]) => ({
    code,
    lengths: plan[3] as number[],
  })),
].sort((one, other) => one.code.localeCompare(other.code));

/** The same digits in every run. */
let seed = 7;
function digits(length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    text += Math.floor((seed / 2147483648) * 10);
  }
  return text;
}

/** Whether a zero before the national number is dropped, as in `+49 (0)171 …`. */
function dropsZero({ code, lengths }: Plan): boolean {
  return (
    lengths.every((length) =>
      Array.from({ length: 40 }, () => digits(length)).every(
        (national) => readPhone(`+${code}0${national}`, undefined) !== `+${code}0${national}`,
      ),
    ) &&
    lengths.some((length) => {
      const national = `2${digits(length - 1)}`;
      return readPhone(`+${code}0${national}`, undefined) === `+${code}${national}`;
    })
  );
}

test('core knows the lengths of all numbering plans', async () => {
  const lines = plans.map((plan) =>
    [plan.code, plan.lengths.join(','), ...(dropsZero(plan) ? ['0'] : [])].join(' '),
  );
  const header = [
    '# The numbering plans of the world: the calling code, the lengths that a national number may',
    '# have, and a 0 where a 0 before the national number is dropped, as in +49 (0)171.',
    "# From the metadata of Google's libphonenumber (Apache-2.0); embed/tests/phone.test.ts writes it.",
  ];
  await expect(`${[...header, ...lines].join('\n')}\n`).toMatchFileSnapshot(
    '../../crates/widget-core/data/calling_codes.txt',
  );
});

interface Case {
  written: string;
  /** Of the visitor, for a number without a calling code. */
  country?: string;
  /** In E.164; null when it is not understood. */
  read: string | null;
}

const FIXTURE = '../fixtures/phone_numbers.json';
const cases: Case[] = JSON.parse(readFileSync(FIXTURE, 'utf8'));

describe('numbers as they are written', () => {
  test.each(cases)('$written in $country is $read', ({ written, country, read }) => {
    expect(readPhone(written, country)).toBe(read);
  });
});

test('an example of each country is understood, written in several ways', () => {
  for (const [country, national] of Object.entries(examples)) {
    const code: string = metadata.countries[country][0];
    const spaced = national.replace(/(\d{3})(?=\d)/g, '$1-');
    for (const written of [`+${code}${national}`, `00${code} ${spaced}`, `+${code} (${spaced})`])
      expect(readPhone(written, undefined), written).toBe(`+${code}${national}`);
    expect(readPhone(spaced, country), country).toBe(`+${code}${national}`);
  }
});

test.each([
  [['en-US'], 'US'],
  [['de', 'en-GB'], 'DE'],
  [['de', 'en-US', 'en'], 'DE'],
  [['ja', 'en-US', 'en'], 'JP'],
  [['de', 'en-US', 'de-AT'], 'AT'],
  [['en', 'fr-FR', 'en-GB'], 'GB'],
  [['en', 'fr-FR'], 'FR'],
  [['en', 'fr'], 'US'],
  [[null, 'ja'], 'JP'],
  [['pt-BR', 'en-US'], 'BR'],
  [['not a language', 'fr'], 'FR'],
  [[], undefined],
] as const)('the country of %j is %s', (languages, country) => {
  expect(countryOf(languages)).toBe(country);
});
