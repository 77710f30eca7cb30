/** The form before a conversation: whether it has to be filled in, and the values that it gave. */
import type { ProblemError } from '../../generated/api';
import type { FailureCode } from '../../shared/codes';
import type { Config, FormDefinition } from '../config';
import type { FormValues } from '../service/service';
import type { WindowStorage } from '../storage';
import type { OpenForm } from './window-state';

interface StoredAnswer {
  shape: string;
  values: FormValues;
}

export class PreConversationForm {
  /** What the next start sends. */
  values: FormValues | null = null;
  #definition: FormDefinition | null;
  readonly #isShownOnce: boolean;
  readonly #storage: WindowStorage;
  #errors: ProblemError[] = [];

  constructor(config: Config, storage: WindowStorage) {
    this.#definition = config.pre_conversation_form ?? null;
    this.#isShownOnce = config.pre_conversation_show_once ?? false;
    this.#storage = storage;
  }

  /** The form to fill in before the next start; null when there is none, or it was answered. */
  prepare(): OpenForm | null {
    const definition = this.#definition;
    if (!definition || this.values) return null;
    const stored = this.#storage.read('form') as StoredAnswer | null;
    if (!this.#isShownOnce || stored?.shape !== shapeOf(definition))
      return { definition, values: stored?.values ?? {}, errors: this.#errors };
    this.values = stored.values;
    return null;
  }

  answer(values: FormValues) {
    this.values = values;
    this.#errors = [];
    if (this.#isShownOnce && this.#definition)
      this.#storage.write('form', { shape: shapeOf(this.#definition), values });
  }

  /**
   * The service rejected the values: the form is shown again as it was filled in, or forgotten
   * where the owner has removed it since this window was loaded. False when there is none: the
   * owner has added one.
   */
  reject({ code, errors }: { code: FailureCode; errors: ProblemError[] }): boolean {
    if (!this.#definition) return false;
    const isKept = code === 'form_invalid';
    this.#errors = errors;
    this.#storage.write('form', isKept ? { shape: '', values: this.values ?? {} } : null);
    this.values = null;
    if (!isKept) this.#definition = null;
    return true;
  }
}

/** Changes with the fields of a form, so that a stored answer is not used for another form. */
function shapeOf(form: FormDefinition): string {
  return form.fields.map(({ id, type, required }) => `${id}:${type}:${required ? 1 : 0}`).join(',');
}
