/**
 * The forms that were requested during the conversation, by the agent or by a quick action. Each
 * stays in the transcript until the visitor sends it, also when its room or the agent's call is
 * long gone. Its answer goes to the service first, which stores it, and then to the agent.
 */
import type { FormDefinition } from '../config';
import { newId } from '../new-id';
import type { FormValues } from '../service/service';
import type { Store } from './store';

interface Dependencies {
  store: Store;
  forms: FormDefinition[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Whether there is a conversation to which the service can add values. */
  hasConversation(): boolean;
  /** Stores the values at the service; rejects while there is no conversation. */
  submit(formId: string, values: FormValues): Promise<void>;
  /** Sends the agent an answer for which no call of it waits; false while there is no agent. */
  sendLate(message: object): boolean;
}

/** A call of the agent that waits for an answer. */
interface AgentCall {
  deadline: number;
  answer(text: string): void;
}

export class FormRequests {
  /** What the visitor has filled in so far, by request. */
  readonly drafts = new Map<string, FormValues>();
  readonly #dependencies: Dependencies;
  readonly #calls = new Map<string, AgentCall[]>();
  /** Sent by the visitor before there was a conversation. */
  readonly #unsent = new Map<string, FormValues>();
  #late: object[] = [];

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Shows a configured form, and returns the id of the request. A form that is waiting already
   * stays the same request, with what was filled in. Null when there is no form of that id.
   */
  request(formId: string, isOwn: boolean): string | null {
    const { forms, store } = this.#dependencies;
    const definition = forms.find((form) => form.id === formId);
    if (!definition) return null;
    const known = store.state.requests.find(
      (request) => request.definition === definition && isUnanswered(request.status),
    );
    const id = known?.id ?? newId();
    store.dispatch({ type: 'form-requested', id, definition, isOwn });
    return id;
  }

  /** A call of the agent, which is answered if the visitor is done within its timeout. */
  requestForAgent(formId: string, timeout: number): Promise<string> {
    const id = this.request(formId, false);
    if (!id) return Promise.reject(new Error('no such form'));
    return new Promise((answer) => {
      const call = { deadline: this.#dependencies.now() + timeout, answer };
      this.#calls.set(id, [...(this.#calls.get(id) ?? []), call]);
    });
  }

  saveDraft(id: string, values: FormValues) {
    this.drafts.set(id, values);
    // What is being changed is not sent automatically.
    this.#unsent.delete(id);
  }

  /** The visitor sends the form. Rejects when the service has not stored it: it stays open. */
  async send(id: string, values: FormValues) {
    const { store, submit, hasConversation } = this.#dependencies;
    const request = store.state.requests.find((each) => each.id === id);
    if (!request || !isUnanswered(request.status)) return;
    try {
      await submit(request.definition.id, values);
    } catch (problem) {
      if (!hasConversation()) this.#unsent.set(id, values);
      throw problem;
    }
    this.#unsent.delete(id);
    this.drafts.delete(id);
    store.dispatch({ type: 'form-status', id, status: 'sent' });
    const answer = { submitted: true, values };
    if (!this.#answerCalls(id, answer))
      this.#sendLate({ form_id: request.definition.id, ...answer });
  }

  /** The visitor does not want to fill it in now; it stays, and can be opened again. */
  putOff(id: string) {
    this.#dependencies.store.dispatch({ type: 'form-status', id, status: 'later' });
    this.#answerCalls(id, { dismissed: true });
  }

  reopen(id: string) {
    this.#dependencies.store.dispatch({ type: 'form-status', id, status: 'open' });
  }

  /** The room was left, and with it the agent that called. */
  leaveRoom() {
    this.#calls.clear();
  }

  /** There is a conversation: what was sent before is stored now. */
  sendUnsent() {
    // The card still says that it was not sent, if this fails as well.
    for (const [id, values] of this.#unsent) this.send(id, values).catch(() => {});
  }

  /** There is an agent: it gets the answers that came while there was none. */
  sendWaiting() {
    const messages = this.#late;
    this.#late = [];
    for (const message of messages) this.#sendLate(message);
  }

  /**
   * The conversation is put aside. Unless the visitor has confirmed that what is unsent is lost,
   * feedback that was begun is there when it is asked again.
   */
  forget(dropsUnsent: boolean) {
    this.leaveRoom();
    this.#unsent.clear();
    for (const id of this.drafts.keys())
      if (dropsUnsent || id !== 'feedback') this.drafts.delete(id);
    this.#late = [];
  }

  #sendLate(message: object) {
    if (!this.#dependencies.sendLate(message)) this.#late.push(message);
  }

  /** Whether a call was still waiting. */
  #answerCalls(id: string, answer: object): boolean {
    const now = this.#dependencies.now();
    const calls = (this.#calls.get(id) ?? []).filter(({ deadline }) => now < deadline);
    this.#calls.delete(id);
    for (const call of calls) call.answer(JSON.stringify(answer));
    return calls.length > 0;
  }
}

function isUnanswered(status: string): boolean {
  return status === 'open' || status === 'later';
}
