/** Holds the state, and calls whoever subscribed on each change. */
import { type Event, initialState, reduce, type State } from './window-state';

type Listener = (state: State, before: State) => void;

export class Store {
  #state = initialState();
  readonly #listeners = new Set<Listener>();

  get state(): State {
    return this.#state;
  }

  dispatch(event: Event) {
    const before = this.#state;
    this.#state = reduce(before, event);
    if (this.#state === before) return;
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
