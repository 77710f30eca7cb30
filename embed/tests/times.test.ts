/** When something was said, as it is shown and saved. */
import { describe, expect, test } from 'vitest';
import type { Message } from '../src/window/conversation/transcript';
import { transcriptText } from '../src/window/extras';
import { clockTime, dayName, fullTime, isSameDay } from '../src/window/times';
import { countBuilt } from './fixtures';

/** In the time zone of the machine, as visitors have theirs. */
const at = (day: number, hour = 12) => new Date(2026, 1, day, hour, 5).toISOString();
const now = Date.parse(at(10, 18));

test.each([
  [at(10, 0), 'en', 'today'],
  [at(9, 23), 'en', 'yesterday'],
  [at(9, 23), 'de', 'gestern'],
  [at(3), 'en-GB', 'Tuesday, 3 February 2026'],
  [at(3), 'de', 'Dienstag, 3. Februar 2026'],
  [at(11), 'en-GB', 'Wednesday, 11 February 2026'],
])('the day of %s in %s is %s', (time, language, name) => {
  expect(dayName(time, now, language).replace(/(\w+day),? /, '$1, ')).toBe(name);
});

test('the time is short beside a turn, and complete on request', () => {
  expect(clockTime(at(3, 9), 'de')).toBe('09:05');
  expect(fullTime(at(3, 9), 'de')).toMatch(/Dienstag, 3\. Februar 2026.*09:05/);
});

test('a format is built once for all turns', () => {
  const { onBuilt, restore } = countBuilt('DateTimeFormat');
  for (let day = 1; day < 20; day += 1) {
    clockTime(at(day), 'fr');
    fullTime(at(day), 'fr');
    dayName(at(day), now, 'fr');
  }
  restore();
  expect(onBuilt).toHaveBeenCalledTimes(3);
});

test('days change at midnight where the visitor is', () => {
  expect(isSameDay(at(3, 0), at(3, 23))).toBe(true);
  expect(isSameDay(at(3, 23), at(4, 0))).toBe(false);
});

describe('the transcript as a file', () => {
  const say = (role: Message['role'], text: string, created_at: string): Message => ({
    id: text,
    role,
    text,
    created_at,
    state: 'done',
  });

  test('has every turn with its time, and each day once', () => {
    const messages = [
      say('visitor', 'Hello', at(3, 9)),
      say('agent', '**Hi**\n- one', at(3, 10)),
      say('visitor', 'Again', at(4, 9)),
    ];
    expect(transcriptText('Shop', messages, { you: 'Sie', agent: 'Agent', unsent: '' }, 'de')).toBe(
      `Shop

Dienstag, 3. Februar 2026

[09:05] Sie:
Hello

[10:05] Agent:
**Hi**
- one

Mittwoch, 4. Februar 2026

[09:05] Sie:
Again
`,
    );
  });
});
