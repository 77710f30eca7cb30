/**
 * The form that is open, who asked for it, and what becomes of the answer: the service keeps it first,
 * and then whoever asked is told. One form is open at a time.
 */
import type { FormDefinition } from './config';
import type { FormValues } from './service';
import type { OpenForm } from './state';

/** Gets the values, or null when the form was put away; a rejection keeps it open. */
type Answer = (values: FormValues | null) => Promise<void> | void;

interface Surroundings {
  forms: FormDefinition[];
  /** Milliseconds since 1970. */
  now(): number;
  show(form: OpenForm | null): void;
  /** Hands the values to the service. */
  keep(formId: string, values: FormValues): Promise<void>;
  /** Tells the agent of an answer that it no longer waits for. */
  tell(message: object): void;
}

export class FormDesk {
  readonly #around: Surroundings;
  #answer: Answer | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  open(form: OpenForm, answer: Answer) {
    this.#answer = answer;
    this.#around.show(form);
  }

  /** Opens one of the configured forms; false when there is none of that id, or one is open already. */
  show(formId: string, done: Answer): boolean {
    const definition = this.#around.forms.find((form) => form.id === formId);
    if (!definition || this.#answer) return false;
    this.open({ definition, moment: 'during', values: {} }, async (values) => {
      if (values) await this.#around.keep(formId, values);
      await done(values);
    });
    return true;
  }

  /** Opens a form for the agent, whose call is answered when the visitor is done within its time. */
  askFor(formId: string, within: number): Promise<string> {
    const deadline = this.#around.now() + within;
    return new Promise((resolve, reject) => {
      const isShown = this.show(formId, (values) => {
        const answer = values ? { submitted: true, values } : { dismissed: true };
        if (this.#around.now() < deadline) resolve(JSON.stringify(answer));
        else this.#around.tell({ form_id: formId, ...answer });
      });
      if (!isShown) reject(new Error('no such form, or another one is open'));
    });
  }

  /** The visitor is done; null when the form was put away unanswered. */
  async close(values: FormValues | null) {
    const answer = this.#answer;
    await answer?.(values);
    // The answer may have opened the next one.
    if (this.#answer !== answer) return;
    this.drop();
  }

  /** The conversation that the form belongs to is over or elsewhere. */
  drop() {
    if (!this.#answer) return;
    this.#answer = null;
    this.#around.show(null);
  }
}

/** Changes with the fields of a form, so that an answer to another form is not taken for one to it. */
export function shapeOf(form: FormDefinition): string {
  return form.fields.map(({ id, type, required }) => `${id}:${type}:${required ? 1 : 0}`).join(',');
}
