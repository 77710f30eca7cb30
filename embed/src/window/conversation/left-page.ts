/**
 * What a page leaves behind for the next one in the same tab, so that a visitor who follows a link
 * loses nothing. It is written all the time, because a browser may end a page without a last
 * moment, and removed when it is read.
 */
import { NEXT_PAGE_TIME } from '../../shared/next-page';
import type { FormValues } from '../service/service';
import type { WindowStorage } from '../storage';
import type { Message } from './transcript';
import { type FormRequest, isUnderWay, type State } from './window-state';

export interface LeftPage {
  /** The page may have had the window of another build. */
  version: typeof VERSION;
  /** Milliseconds since 1970. */
  at: number;
  /** The window that wrote it, and whether that was the last time. */
  windowId: string;
  isFinal: boolean;
  /** The conversation that was open; without one, nothing of it is here. */
  conversationId: string | null;
  messages: Message[];
  requests: FormRequest[];
  /** What was filled in, by request. */
  formDrafts: [string, FormValues][];
  draft: string;
  call: 'none' | 'on' | 'muted';
}

/** Changes with the shape of what is written. */
const VERSION = 2;

export type TabStorage = Pick<WindowStorage, 'read' | 'write'>;

const NAME = 'left-page';

export function writeLeftPage(
  storage: TabStorage,
  state: State,
  drafts: { draft: string; forms: Map<string, FormValues> },
  writer: Pick<LeftPage, 'at' | 'windowId' | 'isFinal'>,
) {
  const { voice, messages, requests, conversationId } = state;
  const isOpen = isUnderWay(state);
  const hasCall = isOpen && (voice.name === 'on' || voice.name === 'paused');
  const page: LeftPage = {
    version: VERSION,
    ...writer,
    conversationId: isOpen ? conversationId : null,
    // What nobody takes over is not left lying about.
    messages: isOpen ? withoutHalfAnswer(messages) : [],
    requests: isOpen ? requests : [],
    formDrafts: [...drafts.forms],
    draft: drafts.draft,
    call: hasCall ? callOf(voice) : 'none',
  };
  storage.write(NAME, page);
}

/** An answer that the change of the page cuts off: the question is asked again in the next room. */
function withoutHalfAnswer(messages: Message[]): Message[] {
  const [question, answer] = messages.slice(-2);
  const isCutOff = answer?.role === 'agent' && answer.state === 'streaming';
  return isCutOff && question?.role === 'visitor' ? messages.slice(0, -1) : messages;
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
 * Returns what the page before has left, once. `isReturning`: it was left just now. Otherwise what
 * a window still writes is that of another tab, of which this one is a copy.
 */
export function takeLeftPage(
  storage: TabStorage,
  isReturning: boolean,
  now: number,
): LeftPage | null {
  const page = readLeftPage(storage);
  storage.write(NAME, null);
  return isReturning || (page?.isFinal && now - page.at < NEXT_PAGE_TIME) ? page : null;
}
