/**
 * Checks a form before it is sent, so that a mistake is shown beside its field at once. The service
 * checks again by the same rules and decides.
 */
import type { NumberField } from '../../generated/config';
import type { Field, FormDefinition } from '../config';
import type { Strings } from '../i18n';
import type { FormValues } from '../service/service';

export type Faults = Record<string, keyof Strings>;

/** The addresses that HTML's own email fields accept. */
const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const MAX_EMAIL_LENGTH = 254;
/** E.164: a plus, then up to fifteen digits. */
const PHONE = /^\+[1-9]\d{1,14}$/;

/** Whether the day exists: JavaScript turns one that does not into another. */
function isDate(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(+day) && day.toISOString().startsWith(text)
  );
}

/** Decimal steps have no exact double: 0.3 is the third step of 0.1. */
function isOnStep(number: number, { min = 0, step }: NumberField): boolean {
  const steps = (number - min) / (step ?? 1);
  return !step || Math.abs(steps - Math.round(steps)) <= 1e-9 * Math.max(1, Math.abs(steps));
}

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
      return EMAIL.test(text) && text.length <= MAX_EMAIL_LENGTH ? null : 'invalid_email';
    case 'phone':
      return PHONE.test(text.replace(/\s/g, '')) ? null : 'invalid_phone';
    case 'url':
      return /^https?:\/\//i.test(text) && URL.canParse(text) ? null : 'invalid_url';
    case 'number': {
      const number = Number(value);
      const isIn = number >= (field.min ?? -Infinity) && number <= (field.max ?? Infinity);
      return Number.isFinite(number) && isIn && isOnStep(number, field) ? null : 'invalid';
    }
    case 'date':
      return isDate(text) ? null : 'invalid';
    case 'text':
    case 'textarea': {
      const { length } = [...text];
      return length >= field.min_length && length <= field.max_length ? null : 'invalid';
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

/** The values as they are sent: without empty ones, numbers as numbers, text trimmed. */
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
