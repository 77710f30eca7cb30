/**
 * Reads telephone numbers as people and browsers write them. A chunk of its own, loaded with a form
 * that has such a field; the service reads international numbers by the same rules.
 */
import {
  type CountryCode,
  isSupportedCountry,
  Metadata,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/min';

/** White space, hyphens and dashes, dots, slashes, parentheses, and marks of direction. */
const SEPARATORS =
  /[\s\-\u2010-\u2015\u2212./()\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;
/** The first of each ten digits in the scripts that are read. */
const ZEROS = [0x660, 0x6f0, 0xff10];

/** Digits, perhaps with a plus before them; null when there is anything else. */
function plainNumber(text: string): string | null {
  const plain = text
    .replace(SEPARATORS, '')
    .replace('\uff0b', '+')
    .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => {
      const code = digit.charCodeAt(0);
      return String(code - (ZEROS.findLast((zero) => zero <= code) ?? 0));
    });
  return /^\+?\d+$/.test(plain) ? plain.replace(/^00/, '+') : null;
}

/** The number in E.164, or null; `country` is that of a number without a calling code. */
export function readPhone(text: string, country: string | undefined): string | null {
  const plain = plainNumber(text);
  if (!plain) return null;
  const known = country as CountryCode | undefined;
  const options = known && isSupportedCountry(known) ? { defaultCountry: known } : {};
  const number = parsePhoneNumberFromString(plain, options);
  if (!number) return null;
  // By the plan of the calling code, not of one of its countries.
  const metadata = new Metadata();
  metadata.selectNumberingPlan(number.countryCallingCode as string as CountryCode);
  const lengths = metadata.numberingPlan?.possibleLengths() as number[] | undefined;
  return lengths?.includes(number.nationalNumber.length) ? number.number : null;
}

/**
 * The country of a visitor, by the languages of the browser. It adds English to the language of its
 * visitor, as `de, en-US, en`, so a further language says nothing about the country; except after
 * plain English, which is spoken in too many.
 */
export function countryOf(languages: readonly (string | null | undefined)[]): string | undefined {
  const locales = languages.flatMap((tag) => {
    try {
      return tag ? [new Intl.Locale(tag)] : [];
    } catch {
      return [];
    }
  });
  const [first] = locales;
  const hasRegion = locales.filter(({ region }) => region);
  const written =
    hasRegion.find(({ language }) => language === first?.language) ??
    (String(first) === 'en' ? hasRegion[0] : undefined);
  return (written ?? first?.maximize())?.region;
}
