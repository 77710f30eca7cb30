/**
 * Checks a form before it is sent, so that a mistake is shown beside its field at once. The service
 * checks again by the same rules and decides.
 */
import type { ProblemError } from '../../generated/api';
import type { NumberField } from '../../generated/config';
import type { Field, FormDefinition } from '../config';
import type { Strings } from '../i18n';
import type { FormValues } from '../service/service';

export type Faults = Record<string, keyof Strings>;

/** The addresses that HTML's own email fields accept. */
const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const MAX_EMAIL_LENGTH = 254;
/** A name with a dot and a last label of letters, which is an address that lacks its scheme. */
const HOST = /^(?:[\p{Alphabetic}\p{N}-]+\.)+\p{Alphabetic}{2,}(?::\d+)?(?=[/?#]|$)/u;

/** Reads a telephone number into E.164; see `phone.ts`. */
export type ReadPhone = (text: string) => string | null;

/** Where `phone.ts` did not load: any text, since the service reads more than a rule of ours. */
export const asTyped: ReadPhone = (text) => text.trim();

/** The address with its scheme, which people leave out. */
function completed(address: string): string {
  return HOST.test(address) ? `https://${address}` : address;
}

/** Whether the day exists: JavaScript turns one that does not into another. */
function isDate(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(+day) && day.toISOString().startsWith(text)
  );
}

/**
 * How far from a whole number of steps a number may be, as in the service. Decimal steps have no
 * exact double: 0.3 is the third step of 0.1. Beyond a thousandth it is no more than the error of
 * calculating with doubles.
 */
function stepTolerance(steps: number): number {
  const many = Math.max(1, Math.abs(steps));
  return Math.min(1e-9 * many, Math.max(1e-3, 4 * Number.EPSILON * many));
}

function isOnStep(number: number, { min = 0, step }: NumberField): boolean {
  const steps = (number - min) / (step ?? 1);
  return !step || Math.abs(steps - Math.round(steps)) <= stepTolerance(steps);
}

/** In characters, as the service counts what it stores. */
export function lengthOf(value: unknown): number {
  return [...String(value).trim()].length;
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

function faultOf(field: Field, value: unknown, readPhone: ReadPhone): keyof Strings | null {
  if (isEmpty(value)) return field.required ? 'required' : null;
  const text = String(value).trim();
  switch (field.type) {
    case 'email':
      return EMAIL.test(text) && text.length <= MAX_EMAIL_LENGTH ? null : 'invalid_email';
    case 'phone':
      return readPhone(text) ? null : 'invalid_phone';
    case 'url': {
      const address = completed(text);
      return /^https?:\/\//i.test(address) && isUrl(address) ? null : 'invalid_url';
    }
    case 'number': {
      const number = Number(value);
      const isIn = number >= (field.min ?? -Infinity) && number <= (field.max ?? Infinity);
      return Number.isFinite(number) && isIn && isOnStep(number, field) ? null : 'invalid';
    }
    case 'date':
      return isDate(text) ? null : 'invalid';
    case 'text':
    case 'textarea': {
      const length = lengthOf(value);
      return length >= field.min_length && length <= field.max_length ? null : 'invalid';
    }
    default:
      return null;
  }
}

export function validate(
  definition: FormDefinition,
  values: FormValues,
  readPhone: ReadPhone,
): Faults {
  const faults: Faults = {};
  for (const field of definition.fields) {
    const fault = faultOf(field, values[field.id], readPhone);
    if (fault) faults[field.id] = fault;
  }
  return faults;
}

/** What the window says about a fault that the service finds; others are `invalid`. */
const SENTENCES: { readonly [code in ProblemError['code']]?: keyof Strings } = {
  value_missing: 'required',
  email_invalid: 'invalid_email',
  phone_invalid: 'invalid_phone',
  url_invalid: 'invalid_url',
};

/** The faults that the service found, by field: the last part of each pointer. */
export function faultsOf({ fields }: FormDefinition, errors: ProblemError[]): Faults {
  const faults: Faults = {};
  for (const { pointer, code } of errors) {
    const id = pointer.split('/').at(2)?.replaceAll('~1', '/').replaceAll('~0', '~');
    const field = fields.find((each) => each.id === id);
    if (field) faults[field.id] ??= SENTENCES[code] ?? 'invalid';
  }
  return faults;
}

/** The values as they are sent: without empty ones, numbers as numbers, each as it is stored. */
export function submissionOf(
  definition: FormDefinition,
  values: FormValues,
  readPhone: ReadPhone,
): FormValues {
  const out: FormValues = {};
  for (const { id, type } of definition.fields) {
    const value = values[id];
    if (type === 'checkbox') out[id] = value === true;
    else if (isEmpty(value)) continue;
    else if (type === 'number' || type === 'rating') out[id] = Number(value);
    else if (type === 'phone') out[id] = readPhone(String(value)) ?? value;
    else if (type === 'url') out[id] = completed(String(value).trim());
    else out[id] = typeof value === 'string' ? value.trim() : value;
  }
  return out;
}

/** Without `URL.canParse`, which iOS before 17 does not know. */
function isUrl(address: string): boolean {
  try {
    return Boolean(new URL(address));
  } catch {
    return false;
  }
}
