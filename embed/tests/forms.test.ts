/** Mistakes are found before a form is sent, by the same rules as the service's. */
import { readdirSync, readFileSync } from 'node:fs';
import { h, render } from 'preact';
import { describe, expect, test, vi } from 'vitest';
import type { Code } from '../src/generated/codes';
import { type FormDefinition, feedbackForm } from '../src/window/config';
import { Form } from '../src/window/forms/Form';
import { readPhone } from '../src/window/forms/phone';
import { asTyped, faultsOf, submissionOf, validate } from '../src/window/forms/validate';
import { en } from '../src/window/i18n/en';
import { type FakeNode, real, stubDocument } from './dom';
import { config, field, form } from './fixtures';

interface Fixture {
  /** Null: the form that feedback has by default. */
  form: FormDefinition | null;
  submissions: {
    note: string;
    data: Record<string, unknown>;
    stored?: Record<string, unknown>;
    faults?: [code: Code, pointer: string][];
  }[];
}

const FOLDER = '../fixtures/forms';
const phones = (text: string) => readPhone(text, 'GB');

/** Faults that a visitor cannot cause in the window, so the window does not check for them. */
const IMPOSSIBLE_IN_WINDOW = new Set<Code>([
  'key_unknown',
  'type_invalid',
  'value_not_allowed',
  'value_duplicate',
  'submission_too_large',
]);

/** Ratings outside the range cannot be chosen, and spaces around an answer are not sent. */
function canBeEntered(definition: FormDefinition, data: Record<string, unknown>): boolean {
  return definition.fields.every(({ id, type }) => {
    const value = data[id];
    return type !== 'rating' && (typeof value !== 'string' || value === value.trim());
  });
}

describe.each(readdirSync(FOLDER))('%s', (name) => {
  const fixture: Fixture = JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8'));
  // The service fills in every default before the window gets a form.
  const definition = fixture.form
    ? form(
        fixture.form.id,
        fixture.form.fields.map((raw) => field({ ...raw })),
      )
    : feedbackForm(config(), { rating: 'R', comment: 'C' });

  test.each(fixture.submissions.filter(({ data }) => data !== null))(
    '$note $data',
    ({ data, stored, faults }) => {
      const international = (text: string) => readPhone(text, undefined);
      const found = Object.keys(validate(definition, data, international)).sort();
      if (stored) {
        // The window rejects nothing that the service accepts, and sends what it would store.
        expect(found).toEqual([]);
        if (/^(phone|url)/.test(name))
          expect(submissionOf(definition, data, international)).toEqual(stored);
      } else if (
        !faults?.some(([code]) => IMPOSSIBLE_IN_WINDOW.has(code)) &&
        canBeEntered(definition, data)
      ) {
        expect(found).toEqual([...new Set(faults?.map(([, at]) => at.split('/')[1]))].sort());
      }
    },
  );
});

test('an empty field counts as no answer', () => {
  for (const [type, empty] of [
    ['text', '   '],
    ['checkbox', false],
    ['multiselect', []],
    ['select', null],
    ['rating', null],
  ] as const) {
    const needed = form('f', [field({ id: 'x', type, required: true })]);
    expect(validate(needed, { x: empty }, phones), type).toEqual({ x: 'required' });
    const optional = form('f', [field({ id: 'x', type })]);
    expect(validate(optional, { x: empty }, phones), type).toEqual({});
  }
});

test('values are sent as the service expects them', () => {
  const fields = (['text', 'number', 'phone', 'checkbox', 'email', 'rating'] as const).map((type) =>
    field({ id: type, type }),
  );
  const typed = {
    text: ' hi ',
    number: '7',
    phone: '020 7946 0018',
    checkbox: null,
    email: '',
    rating: 4,
  };
  expect(submissionOf(form('f', fields), typed, phones)).toEqual({
    text: 'hi',
    number: 7,
    phone: '+442079460018',
    checkbox: false,
    rating: 4,
  });
});

test('a text that is too long is kept, and says how long it is', async () => {
  const document = stubDocument();
  Object.assign(document.documentElement, { lang: 'en' });
  const root = document.createElement('div');
  const find = (node: FakeNode, is: (node: FakeNode) => boolean): FakeNode | undefined =>
    is(node) ? node : node.childNodes.map((child) => find(child, is)).find(Boolean);
  const submit = vi.fn();
  const fields = (['textarea', 'text'] as const).map((type) =>
    field({ id: type, type, max_length: 1_000 }),
  );
  const text = '😀'.repeat(1_001);
  const props = {
    id: 'f',
    definition: form('f', fields),
    earlier: { textarea: ` ${text} `, text },
    strings: en,
    submitLabel: 'Send',
    submit,
    takesFocus: false,
  };
  render(h(Form, props), real(root));
  const area = find(root, ({ localName }) => localName === 'textarea');
  expect([area?.maxLength, area?.attributes.maxLength]).toEqual([undefined, undefined]);
  const node = find(root, ({ localName }) => localName === 'form') as FakeNode;
  Object.assign(node, { querySelectorAll: () => [], querySelector: () => null });
  node.dispatchEvent(new Event('submit'));
  for (const type of ['textarea', 'text'])
    await vi.waitFor(() =>
      expect(
        find(root, ({ id, attributes }) => (id ?? attributes.id) === `f-${type}-help`)?.textContent,
      ).toBe(`${en.invalid} 1,001 / 1,000`),
    );
  expect(submit).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

test('a phone number that the window cannot read is left to the service', () => {
  const definition = form('f', [field({ id: 'phone', type: 'phone', required: true })]);
  for (const phone of ['+44 (20) 7946.0018', '0044 20 7946 0018', '\uff0b44 20 7946 0018']) {
    expect(validate(definition, { phone }, asTyped)).toEqual({});
    expect(submissionOf(definition, { phone: ` ${phone} ` }, asTyped)).toEqual({ phone });
  }
  expect(validate(definition, { phone: ' ' }, asTyped)).toEqual({ phone: 'required' });
});

test('faults that the service finds are shown beside their fields', () => {
  const definition = form('f', [
    field({ id: 'email', type: 'email' }),
    field({ id: 'a/b~c', type: 'text' }),
    field({ id: 'phone', type: 'phone' }),
  ]);
  const found = faultsOf(definition, [
    { pointer: '/data/email', code: 'email_invalid', detail: '' },
    { pointer: '/form/a~1b~0c', code: 'too_long', detail: '' },
    { pointer: '/form/phone', code: 'value_missing', detail: '' },
    { pointer: '/form/phone', code: 'phone_invalid', detail: '' },
    { pointer: '/data/other', code: 'key_unknown', detail: '' },
    { pointer: '', code: 'type_invalid', detail: '' },
  ]);
  expect(found).toEqual({ email: 'invalid_email', 'a/b~c': 'invalid', phone: 'required' });
});
