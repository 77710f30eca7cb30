/**
 * Gets the conversation into a room and keeps it in one: starts and resumes it, retries, and finds
 * out why a room was closed. At most one attempt is under way.
 */
import type { ConversationStart, Joining, VisitorMessage } from '../../generated/api';
import type { LoaderPort } from '../loader-port';
import { ServiceProblem } from '../service/problem';
import type { Service } from '../service/service';
import { Attempt, type AttemptDependencies } from './attempt';
import { createBackoff } from './backoff';
import type { ConversationAccess, CurrentConversation } from './current-conversation';
import type { JoinError } from './join-problem';
import { consequenceOf, type StopReason } from './refusal';
import type { RoomObserver } from './room-talk';
import { hasWaiting } from './transcript';
import { modeOf } from './window-state';

export interface ConnectionDependencies
  extends Omit<AttemptDependencies, 'backoff' | 'reserveVoice'> {
  conversation: CurrentConversation;
  loader: LoaderPort;
  service: Service;
}

export interface ConnectionObserver extends RoomObserver {
  /** What a start sends besides its mode. */
  describeStart(): ConversationStart;
  onStarted(conversationId: string): void;
  /** The service sent these turns. */
  onHistory(messages: VisitorMessage[]): void;
  onJoinFailed(error: JoinError): void;
  onStopped(reason: StopReason): void;
}

export class Connection {
  readonly #dependencies: ConnectionDependencies;
  readonly #observer: ConnectionObserver;
  readonly #backoff = createBackoff();
  #attempt: Attempt | null = null;

  constructor(dependencies: ConnectionDependencies, observer: ConnectionObserver) {
    this.#dependencies = dependencies;
    this.#observer = observer;
  }

  /** The attempt that is under way, whose room is the one to talk in. */
  get attempt(): Attempt | null {
    return this.#attempt;
  }

  start() {
    this.#backoff.reset();
    this.#requestStart();
  }

  /**
   * Replaces the room, if there is one. `isNewPage`: only because the visitor went to another page.
   */
  resume(access: ConversationAccess, isNewPage = false) {
    this.#backoff.reset();
    this.#requestResume(access, isNewPage);
  }

  /** Makes a scheduled retry now; false when there is none. */
  retryNow(): boolean {
    return this.#backoff.runNow();
  }

  leave() {
    this.#backoff.reset();
    this.#leaveRoom();
  }

  #requestStart() {
    const { loader, service, store } = this.#dependencies;
    const attempt = this.#begin({
      onCreated: (id) => this.#observer.onStarted(id),
      retry: () => this.#requestStart(),
    });
    attempt.run(async () => {
      const ticket = await loader.requestTicket();
      const mode = modeOf(store.state);
      return service.start(ticket, { mode, ...this.#observer.describeStart() });
    });
  }

  #requestResume(access: ConversationAccess, isNewPage = false) {
    const { loader, service, store } = this.#dependencies;
    this.#leaveRoom();
    const attempt = this.#begin({
      onCreated: () => store.dispatch({ type: 'new-room' }),
      retry: () => this.#requestResume(access, isNewPage),
    });
    attempt.run(async () => {
      const ticket = await loader.requestTicket();
      const mode = modeOf(store.state);
      return service.resume(access.id, access.token, {
        ticket,
        mode,
        page_changed: isNewPage,
        ...(hasWaiting(store.state.messages) && { message_waiting: true }),
      });
    });
  }

  /**
   * The conversation ended, another tab resumed it, or only the room is gone: the service knows.
   */
  async #handleClosedRoom() {
    const { conversation, service, store } = this.#dependencies;
    const { access } = conversation;
    this.#leaveRoom();
    if (!access) return;
    const attempt = this.#begin({ retry: () => this.#handleClosedRoom() });
    store.dispatch({ type: 'unreachable' });
    const found = await attempt.ask(() =>
      service.read(access.id, access.token).catch((problem) => {
        // A resume elsewhere replaces the conversation token and then closes the room. An expired
        // token has the same code.
        const { code } = problem as ServiceProblem;
        const isReplaced = code === 'conversation_token_invalid' && conversation.isStored;
        throw isReplaced ? new ServiceProblem('conversation_resumed_elsewhere') : problem;
      }),
    );
    if (!found) return;
    // Of one that failed although it was joined, the answer to a resume says why.
    if (found.is_open || found.status === 'failed') this.#requestResume(access);
    else this.#observer.onStopped({ name: 'ended' });
  }

  #begin({ onCreated, retry }: { onCreated?(id: string): void; retry(): void }): Attempt {
    const { conversation, service } = this.#dependencies;
    const observer = this.#observer;
    const reserveVoice = async () => {
      const { access } = conversation;
      if (!access) throw new ServiceProblem('network');
      await service.reserveVoice(access.id, access.token);
    };
    this.#attempt?.end();
    this.#attempt = new Attempt(
      { ...this.#dependencies, backoff: this.#backoff, reserveVoice },
      {
        ...observer,
        onRoomCreated: (joining: Joining) => {
          const { id, messages } = joining.conversation;
          onCreated?.(id);
          conversation.claim({ id, token: joining.conversation_token });
          observer.onHistory(messages);
        },
        onRefused: (problem) => this.#handleRefusal(problem, retry),
        onGaveUp: (problem) => observer.onStopped({ name: 'refused', code: problem }),
        onTokenUnusable: () => {
          if (conversation.access) this.#requestResume(conversation.access);
        },
        onClosed: () => this.#handleClosedRoom(),
      },
    );
    return this.#attempt;
  }

  #handleRefusal(problem: unknown, retry: () => void) {
    const { conversation, store } = this.#dependencies;
    const consequence = consequenceOf(problem, conversation.isTokenReplaced);
    if (consequence.name !== 'retry') return this.#observer.onStopped(consequence);
    store.dispatch({ type: 'unreachable' });
    this.#backoff.schedule(retry);
  }

  #leaveRoom() {
    this.#attempt?.end();
    this.#attempt = null;
    this.#dependencies.forms.leaveRoom();
  }
}
