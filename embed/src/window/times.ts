/** When something was said, in the visitor's language and time zone. */

/** Building one takes far longer than using it, and each word of an answer shows every time. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** In the variant of the language that the browser prefers: British clocks differ from American. */
function format(at: string, language: string, options: Intl.DateTimeFormatOptions): string {
  const [primary = ''] = language.split('-');
  const variant = globalThis.navigator?.languages?.find((tag) => tag.startsWith(primary));
  const tag = variant ?? language;
  const key = tag + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(tag, options);
  formats.set(key, known);
  return known.format(new Date(at));
}

/** As on a clock. */
export function clockTime(at: string, language: string): string {
  return format(at, language, { timeStyle: 'short' });
}

/** With the day. */
export function fullTime(at: string, language: string): string {
  return format(at, language, { dateStyle: 'full', timeStyle: 'short' });
}

/** Today, yesterday, or the date. */
export function dayName(at: string, now: number, language: string): string {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(Date.parse(at)) - midnight(now)) / 86_400_000);
  return days === 0 || days === -1
    ? new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day')
    : format(at, language, { dateStyle: 'full' });
}

/** Whether both are on the same day where the visitor is. */
export function isSameDay(one: string, other: string): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString();
}
