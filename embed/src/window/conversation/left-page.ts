/**
 * What a page leaves behind for the next one in the same tab, so that a visitor who follows a link
 * loses nothing. It is written all the time, because a browser may end a page without a last
 * moment, and removed when it is read.
 */
import { TOKEN_LIFETIME } from '../../generated/limits';
import { NEXT_PAGE_TIME } from '../../shared/next-page';
import type { FormValues } from '../service/service';
import type { WindowStorage } from '../storage';
import type { ConversationAccess } from './current-conversation';
import { type Message, withoutHalfAnswer } from './transcript';
import { asksFeedback, type FormRequest, isUnderWay, type State, waitingOf } from './window-state';

export interface LeftPage {
  /** The page may have had the window of another build. */
  version: typeof VERSION;
  /** Milliseconds since 1970. */
  at: number;
  /** The window that wrote it, and whether that was the last time. */
  windowId: string;
  isFinal: boolean;
  conversation: LeftConversation;
  /** Without a conversation that is shown again, only what was not sent. */
  messages: Message[];
  requests: FormRequest[];
  /** What was filled in, by form. */
  formDrafts: [string, FormValues][];
  draft: string;
  isExpanded: boolean;
  call: 'none' | 'on' | 'muted';
}

export type LeftConversation =
  | { name: 'none' }
  /** The service has not started it yet, or the form before it is open. */
  | { name: 'starting' }
  | { name: 'open'; id: string }
  /**
   * It has ended, and the visitor is asked for feedback. Only in the last word of a page, because
   * nothing else stores the token of a conversation that has ended.
   */
  | { name: 'feedback'; access: ConversationAccess };

/** Changes with the shape of what is written. */
const VERSION = 3;

export type TabStorage = Pick<WindowStorage, 'read' | 'write'>;

/** What was filled in so far, by form. */
type FormDrafts = Map<string, FormValues>;

const NAME = 'left-page';

export function writeLeftPage(
  storage: TabStorage,
  state: State,
  access: ConversationAccess | null,
  formDrafts: FormDrafts,
  writer: Pick<LeftPage, 'at' | 'windowId' | 'isFinal'>,
) {
  const { voice, messages, requests, draft, isExpanded } = state;
  const conversation = leftConversation(state, writer.isFinal ? access : null);
  const continues = conversation.name === 'open' || conversation.name === 'starting';
  const hasCall = continues && (voice.name === 'on' || voice.name === 'paused');
  const isShownAgain = conversation.name === 'open' || conversation.name === 'feedback';
  const page: LeftPage = {
    version: VERSION,
    ...writer,
    conversation,
    // What nobody takes over is not left lying about.
    ...(isShownAgain
      ? { messages: withoutHalfAnswer(messages), requests }
      : unsentOf(state, formDrafts)),
    formDrafts: [...formDrafts],
    draft,
    isExpanded,
    call: hasCall ? callOf(voice) : 'none',
  };
  storage.write(NAME, page);
}

function leftConversation(state: State, access: ConversationAccess | null): LeftConversation {
  const { form, conversationId } = state;
  if (isUnderWay(state) && conversationId) return { name: 'open', id: conversationId };
  if (isUnderWay(state) || form) return { name: 'starting' };
  if (asksFeedback(state) && access) return { name: 'feedback', access };
  return { name: 'none' };
}

/** What was typed or filled in and not sent: whatever became of the conversation, it is kept. */
export function unsentOf(
  shown: Pick<State, 'messages' | 'requests'>,
  formDrafts: FormDrafts,
): Pick<LeftPage, 'messages' | 'requests'> {
  return {
    messages: waitingOf(shown),
    requests: shown.requests.filter(
      ({ id, status, isOwn }) => status !== 'sent' && (isOwn || formDrafts.has(id)),
    ),
  };
}

function callOf({ isMuted }: { isMuted: boolean }): LeftPage['call'] {
  return isMuted ? 'muted' : 'on';
}

/** Returns what is there, for whomever. */
export function readLeftPage(storage: TabStorage): LeftPage | null {
  const page = storage.read(NAME) as LeftPage | null;
  return page?.version === VERSION ? page : null;
}

/**
 * Returns what the last page with a window has left, once. `isReturning`: it was left just now.
 * Otherwise what a window still writes is that of another tab, of which this one is a copy; and
 * what was left longer ago is only what was typed.
 */
export function takeLeftPage(
  storage: TabStorage,
  isReturning: boolean,
  now: number,
): LeftPage | null {
  const page = readLeftPage(storage);
  storage.write(NAME, null);
  if (!page || !(isReturning || page.isFinal)) return null;
  const age = now - page.at;
  if (age >= TOKEN_LIFETIME) return null;
  if (isReturning || age < NEXT_PAGE_TIME) return page;
  // Of a page longer ago, only what was typed: whether the conversation continues is asked.
  return { ...page, conversation: { name: 'none' }, call: 'none', isExpanded: false };
}
