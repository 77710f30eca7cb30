/**
 * The form that is open, and who gets its answer: first the service, which stores it, then the
 * agent or the code that asked. One form is open at a time.
 */
import type { FormDefinition } from '../config';
import type { FormValues } from '../service/service';
import type { OpenForm } from './window-state';

/** Gets the values, or null when the form was dismissed; a rejection keeps the form open. */
type OnAnswer = (values: FormValues | null) => Promise<void> | void;

interface Dependencies {
  forms: FormDefinition[];
  /** Milliseconds since 1970. */
  now(): number;
  show(form: OpenForm | null): void;
  /** Stores the values at the service. */
  submit(formId: string, values: FormValues): Promise<void>;
  /** Sends the agent an answer for which its call no longer waits. */
  sendLate(message: object): void;
}

export class FormRequests {
  readonly #dependencies: Dependencies;
  #onAnswer: OnAnswer | null = null;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  open(form: OpenForm, onAnswer: OnAnswer) {
    this.#onAnswer = onAnswer;
    this.#dependencies.show(form);
  }

  /** Opens a configured form; false when there is none of that id, or one is open already. */
  openConfigured(formId: string, onAnswer: OnAnswer): boolean {
    const { forms, submit } = this.#dependencies;
    const definition = forms.find((form) => form.id === formId);
    if (!definition || this.#onAnswer) return false;
    this.open({ definition, moment: 'during', values: {} }, async (values) => {
      if (values) await submit(formId, values);
      await onAnswer(values);
    });
    return true;
  }

  /**
   * Opens a form for the agent, whose call is answered if the visitor is done within its timeout.
   */
  openForAgent(formId: string, timeout: number): Promise<string> {
    const { now, sendLate } = this.#dependencies;
    const deadline = now() + timeout;
    return new Promise((resolve, reject) => {
      const isOpen = this.openConfigured(formId, (values) => {
        const answer = values ? { submitted: true, values } : { dismissed: true };
        if (now() < deadline) resolve(JSON.stringify(answer));
        else sendLate({ form_id: formId, ...answer });
      });
      if (!isOpen) reject(new Error('no such form, or another one is open'));
    });
  }

  /** The visitor is done; null when the form was dismissed. */
  async close(values: FormValues | null) {
    const onAnswer = this.#onAnswer;
    await onAnswer?.(values);
    // The answer may have opened the next form.
    if (this.#onAnswer === onAnswer) this.discard();
  }

  /** Closes the form unanswered, because the room that it belongs to was left. */
  discard() {
    if (!this.#onAnswer) return;
    this.#onAnswer = null;
    this.#dependencies.show(null);
  }
}
