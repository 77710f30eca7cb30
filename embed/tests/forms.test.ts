/** Slips are named before a form is sent, by the rules that the service applies. */
import { expect, test } from 'vitest';
import type { Field } from '../src/window/config';
import { feedbackForm } from '../src/window/config';
import { submissionOf, validate } from '../src/window/forms/validate';
import { config } from './fixtures';

const one = (field: Partial<Field>) => ({
  id: 'f',
  fields: [{ id: 'x', type: 'text', label: 'X', ...field } as Field],
});

test.each<[Partial<Field>, unknown, string | undefined]>([
  [{ required: true }, '', 'required'],
  [{ required: true }, '   ', 'required'],
  [{ required: true, type: 'checkbox' }, false, 'required'],
  [{ required: true, type: 'multiselect' }, [], 'required'],
  [{}, null, undefined],
  [{ min_length: 3 }, 'ab', 'invalid'],
  [{ max_length: 3 }, 'a😀b', undefined],
  [{ type: 'email' }, 'a@b.example', undefined],
  [{ type: 'email' }, 'a@b', 'invalid_email'],
  [{ type: 'phone' }, '+44 20 7946 0018', undefined],
  [{ type: 'phone' }, '020 7946 0018', 'invalid_phone'],
  [{ type: 'url' }, 'https://a.example', undefined],
  [{ type: 'url' }, 'javascript:alert(1)', 'invalid_url'],
  [{ type: 'number', min: 1, max: 5 }, '6', 'invalid'],
  [{ type: 'number' }, '0', undefined],
  [{ type: 'number' }, 'x', 'invalid'],
  [{ type: 'date' }, '2026-02-01', undefined],
  [{ type: 'date' }, '01.02.2026', 'invalid'],
])('%j given %j', (field, value, fault) => {
  expect(validate(one(field), { x: value }).x).toBe(fault);
});

test('values are sent as the service wants them', () => {
  const form = {
    id: 'f',
    fields: [
      { id: 'a', type: 'text', label: 'A' },
      { id: 'b', type: 'number', label: 'B' },
      { id: 'c', type: 'phone', label: 'C' },
      { id: 'd', type: 'checkbox', label: 'D' },
      { id: 'e', type: 'text', label: 'E' },
    ] as Field[],
  };
  expect(submissionOf(form, { a: ' hi ', b: '7', c: '+44 20', d: null, e: '' })).toEqual({
    a: 'hi',
    b: 7,
    c: '+4420',
    d: false,
  });
});

test('feedback without a form of its own asks for a rating and a comment', () => {
  const form = feedbackForm(config(), { rating: 'Rating', comment: 'Comment' });
  expect(form.fields.map((field) => [field.id, field.required ?? false])).toEqual([
    ['rating', true],
    ['comment', false],
  ]);
});
