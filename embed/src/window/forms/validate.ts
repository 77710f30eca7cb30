/**
 * Checks a form before it is sent, so that a slip is named beside its field at once. The service checks
 * again by the same rules and has the last word.
 */
import type { Field, FormDefinition } from '../config';
import type { Strings } from '../i18n';
import type { FormValues } from '../service';

export type Faults = Record<string, keyof Strings>;

/** One `@` with something around it and a dot after it; whether it exists, only a letter to it can tell. */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/;
/** E.164: a plus, then up to fifteen digits. */
const PHONE = /^\+[1-9]\d{1,14}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === false ||
    (typeof value === 'string' && !value.trim()) ||
    (Array.isArray(value) && !value.length)
  );
}

function faultOf(field: Field, value: unknown): keyof Strings | null {
  if (isEmpty(value)) return field.required ? 'required' : null;
  const text = String(value).trim();
  switch (field.type) {
    case 'email':
      return EMAIL.test(text) ? null : 'invalid_email';
    case 'phone':
      return PHONE.test(text.replace(/\s/g, '')) ? null : 'invalid_phone';
    case 'url':
      return /^https?:\/\//i.test(text) && URL.canParse(text) ? null : 'invalid_url';
    case 'number': {
      const number = Number(value);
      const isIn = number >= (field.min ?? -Infinity) && number <= (field.max ?? Infinity);
      return Number.isFinite(number) && isIn ? null : 'invalid';
    }
    case 'date':
      return DATE.test(text) && !Number.isNaN(Date.parse(text)) ? null : 'invalid';
    case 'text':
    case 'textarea': {
      const { length } = [...text];
      return length >= (field.min_length ?? 0) && length <= (field.max_length ?? 4000)
        ? null
        : 'invalid';
    }
    default:
      return null;
  }
}

export function validate(definition: FormDefinition, values: FormValues): Faults {
  const faults: Faults = {};
  for (const field of definition.fields) {
    const fault = faultOf(field, values[field.id]);
    if (fault) faults[field.id] = fault;
  }
  return faults;
}

/** The values as they are sent: without what was left empty, numbers as numbers, text trimmed. */
export function submissionOf(definition: FormDefinition, values: FormValues): FormValues {
  const out: FormValues = {};
  for (const { id, type } of definition.fields) {
    const value = values[id];
    if (type === 'checkbox') out[id] = value === true;
    else if (isEmpty(value)) continue;
    else if (type === 'number' || type === 'rating') out[id] = Number(value);
    else if (type === 'phone') out[id] = String(value).replace(/\s/g, '');
    else out[id] = typeof value === 'string' ? value.trim() : value;
  }
  return out;
}
