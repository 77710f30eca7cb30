/** Draws a configured form: before, during or after the conversation. A chunk of its own. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProblemError } from '../../generated/api';
import { addSheet } from '../add-sheet';
import type { Field, FormDefinition } from '../config';
import type { Strings } from '../i18n';
import type { ServiceProblem } from '../service/problem';
import type { FormValues } from '../service/service';
import { focusFirstField } from '../ui/focus';
import { Drawing } from '../ui/icons';
import styles from './form.css?inline';
import {
  asTyped,
  type Faults,
  faultsOf,
  lengthOf,
  type ReadPhone,
  submissionOf,
  validate,
} from './validate';

addSheet()?.replaceSync(styles);

const STAR = 'M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z';

export interface FormProps {
  /** Unique in the window. */
  id: string;
  definition: FormDefinition;
  /** The heading, where the form has no title. */
  title?: string;
  /** Earlier answers, by field. */
  earlier?: FormValues;
  /** The faults that the service found in them. */
  found?: ProblemError[];
  strings: Strings;
  submitLabel: string;
  submit(values: FormValues): Promise<void>;
  /** What the visitor has filled in so far, at each change. */
  keep?(values: FormValues): void;
  dismiss?(): void;
  dismissLabel?: string;
  /** Whether the visitor continues here; a form that comes unasked does not take the focus. */
  takesFocus: boolean;
}

export function Form({
  id,
  definition,
  title,
  earlier,
  found = [],
  strings,
  submitLabel,
  submit,
  keep,
  dismiss,
  dismissLabel,
  takesFocus,
}: FormProps) {
  const [values, setValues] = useState<FormValues>(() =>
    Object.fromEntries(
      definition.fields.map((field) => [field.id, earlier?.[field.id] ?? field.default ?? null]),
    ),
  );
  const [faults, setFaults] = useState(() => faultsOf(definition, found));
  const [state, setState] = useState<'open' | 'sending' | 'failed'>('open');
  const form = useRef<HTMLFormElement>(null);
  const phones = useRef<Promise<ReadPhone> | null>(null);
  if (definition.fields.some(({ type }) => type === 'phone')) phones.current ??= loadPhones();

  useEffect(() => {
    if (takesFocus && form.current) focusFirstField(form.current);
  }, []);

  /** Shows the faults beside their fields; false when there are none. */
  function show(next: Faults): boolean {
    setFaults(next);
    const first = definition.fields.find((field) => next[field.id]);
    if (first) form.current?.querySelector<HTMLElement>(`[name="${first.id}"]`)?.focus();
    return first !== undefined;
  }

  async function send() {
    setState('sending');
    const readPhone = (await phones.current) ?? asTyped;
    if (show({ ...validate(definition, values, readPhone), ...unreadable(form.current) }))
      return setState('open');
    try {
      await submit(submissionOf(definition, values, readPhone));
    } catch (problem) {
      const { errors = [] } = problem as Partial<ServiceProblem>;
      setState(show(faultsOf(definition, errors)) ? 'open' : 'failed');
    }
  }

  return (
    <form
      class="form"
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (state !== 'sending') send();
      }}
    >
      {(definition.title || title) && <h2 dir="auto">{definition.title || title}</h2>}
      {definition.fields.map((field) => (
        <Row
          key={field.id}
          id={`${id}-${field.id}`}
          field={field}
          value={values[field.id]}
          fault={sentenceOf(field, values[field.id], faults[field.id], strings)}
          strings={strings}
          change={(value) => {
            const changed = { ...values, [field.id]: value };
            setValues(changed);
            keep?.(changed);
            setFaults(({ [field.id]: _, ...others }) => others);
          }}
        />
      ))}
      {state === 'failed' && (
        <p class="fault" role="alert">
          {strings.not_sent}
        </p>
      )}
      <div class="choices">
        {dismiss && (
          <button type="button" class="big" onClick={dismiss}>
            {dismissLabel ?? strings.cancel}
          </button>
        )}
        <button type="submit" class="big primary" aria-disabled={state === 'sending'}>
          {submitLabel}
        </button>
      </div>
    </form>
  );
}

async function loadPhones(): Promise<ReadPhone> {
  try {
    const { readPhone, countryOf } = await import('./phone');
    const country = countryOf(navigator.languages);
    return (text) => readPhone(text, country);
  } catch {
    return asTyped;
  }
}

/** A text that is too long is kept, and the visitor sees by how much it is. */
function sentenceOf(
  field: Field,
  value: unknown,
  fault: keyof Strings | undefined,
  strings: Strings,
): string | undefined {
  const length = lengthOf(value);
  if (!fault || !('max_length' in field) || length <= field.max_length)
    return fault && strings[fault];
  const { lang } = document.documentElement;
  const [is, most] = [length, field.max_length].map((each) => each.toLocaleString(lang));
  return `${strings[fault]} ${is} / ${most}`;
}

/** Fields with something in them that the browser does not read, and reports as empty. */
function unreadable(form: HTMLFormElement | null): Faults {
  const inputs = [...(form?.querySelectorAll('input') ?? [])];
  return Object.fromEntries(
    inputs.filter(({ validity }) => validity.badInput).map(({ name }) => [name, 'invalid']),
  );
}

interface RowProps {
  id: string;
  field: Field;
  value: unknown;
  fault: string | undefined;
  strings: Strings;
  change(value: unknown): void;
}

function Row(props: RowProps) {
  const { id, field, fault } = props;
  const help = field.help || fault ? `${id}-help` : undefined;
  const isGroup = field.type === 'rating' || field.type === 'multiselect';
  const label = (
    <>
      {field.label}
      {field.required && <span aria-hidden="true"> *</span>}
    </>
  );
  const note = (
    <p id={help} class={fault ? 'fault' : 'help'} dir="auto">
      {fault ?? field.help}
    </p>
  );
  if (isGroup)
    return (
      <fieldset class="row" aria-describedby={help}>
        <legend dir="auto">{label}</legend>
        <Group {...props} />
        {help && note}
      </fieldset>
    );
  if (field.type === 'checkbox')
    return (
      <div class="row">
        <div class="check">
          <Control {...props} help={help} />
          <label for={id} dir="auto">
            {label}
          </label>
        </div>
        {help && note}
      </div>
    );
  return (
    <div class="row">
      <label for={id} dir="auto">
        {label}
      </label>
      <Control {...props} help={help} />
      {help && note}
    </div>
  );
}

const INPUT_TYPES: Partial<Record<Field['type'], 'email' | 'tel' | 'url' | 'number' | 'date'>> = {
  email: 'email',
  phone: 'tel',
  url: 'url',
  number: 'number',
  date: 'date',
};

/** As a plain object, because Preact's types allow only a literal `type`. */
function inputType({ type }: Field): object {
  return { type: INPUT_TYPES[type] ?? 'text' };
}

const AUTOCOMPLETE: Partial<Record<Field['type'], string>> = {
  email: 'email',
  phone: 'tel',
  url: 'url',
};

function Control({
  field,
  value,
  fault,
  strings,
  change,
  id,
  help,
}: RowProps & { help: string | undefined }) {
  const common = {
    id,
    name: field.id,
    required: field.required ?? false,
    'aria-invalid': fault ? true : undefined,
    'aria-describedby': help,
  } as const;
  const text = value === null || value === undefined ? '' : String(value);
  if (field.type === 'checkbox')
    return (
      <input
        {...common}
        type="checkbox"
        checked={value === true}
        onChange={({ currentTarget }) => change(currentTarget.checked)}
      />
    );
  if (field.type === 'select')
    return (
      <select
        {...common}
        value={text}
        onChange={({ currentTarget }) => change(currentTarget.value || null)}
      >
        <option value="">{strings.choose}</option>
        {field.options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    );
  if (field.type === 'textarea')
    return (
      <textarea
        {...common}
        rows={3}
        dir={text ? 'auto' : undefined}
        placeholder={field.placeholder ?? ''}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
    );
  return (
    <input
      {...common}
      {...inputType(field)}
      dir={field.type === 'text' ? (text ? 'auto' : undefined) : 'ltr'}
      autocomplete={AUTOCOMPLETE[field.type] ?? 'on'}
      placeholder={field.placeholder ?? ''}
      {...(field.type === 'number' && {
        min: field.min ?? undefined,
        max: field.max ?? undefined,
        step: field.step ?? 'any',
      })}
      value={text}
      onInput={({ currentTarget }) => change(currentTarget.value)}
    />
  );
}

/** A rating as it is said. */
function ratingOf(rating: number, max: number, { rating_of }: Strings): string {
  return rating_of.replace('{rating}', `${rating}`).replace('{max}', `${max}`);
}

/** Several choices under one question. */
function Group({ field, value, strings, change }: RowProps) {
  if (field.type === 'rating') {
    const max = field.max ?? 5;
    return (
      <div class="stars">
        {Array.from({ length: max }, (_, index) => index + 1).map((rating) => (
          <label key={rating} class={Number(value) >= rating ? 'star on' : 'star'}>
            <input
              type="radio"
              name={field.id}
              value={rating}
              checked={value === rating}
              aria-label={ratingOf(rating, max, strings)}
              onChange={() => change(rating)}
            />
            <Drawing name="star" path={STAR} />
          </label>
        ))}
      </div>
    );
  }
  if (field.type !== 'multiselect') return null;
  const chosen = Array.isArray(value) ? (value as string[]) : [];
  return (
    <>
      {field.options.map((option) => (
        <label key={option.value} class="check">
          <input
            type="checkbox"
            name={field.id}
            checked={chosen.includes(option.value)}
            onChange={({ currentTarget }) =>
              change(
                currentTarget.checked
                  ? [...chosen, option.value]
                  : chosen.filter((other) => other !== option.value),
              )
            }
          />
          <span dir="auto">{option.label}</span>
        </label>
      ))}
    </>
  );
}
