/**
 * What a page leaves behind for the next one in the same tab, so that a visitor who follows a link
 * loses nothing. It is written when the page is left and removed when it is read: a copy of the tab
 * finds nothing, and asks.
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
  /** The conversation that was going on; without one, nothing of it is here. */
  conversationId: string | null;
  messages: Message[];
  requests: FormRequest[];
  /** What was filled in, by request. */
  formDrafts: [string, FormValues][];
  draft: string;
  call: 'none' | 'on' | 'muted';
}

/** Changes with the shape of what is written. */
const VERSION = 1;

export type TabStorage = Pick<WindowStorage, 'read' | 'write'>;

const NAME = 'left-page';

export function writeLeftPage(
  storage: TabStorage,
  state: State,
  drafts: { draft: string; forms: Map<string, FormValues> },
  at: number,
) {
  const { voice, messages, requests, conversationId } = state;
  const goesOn = isUnderWay(state);
  const hasCall = goesOn && (voice.name === 'on' || voice.name === 'paused');
  const page: LeftPage = {
    version: VERSION,
    at,
    conversationId: goesOn ? conversationId : null,
    // What nobody takes over is not left lying about.
    messages: goesOn ? withoutHalfAnswer(messages) : [],
    requests: goesOn ? requests : [],
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

/** Whether there is something to take, however old. */
export function hasLeftPage(storage: TabStorage): boolean {
  return storage.read(NAME) !== null;
}

/** Returns what the page before has left, once; null when that was too long ago. */
export function takeLeftPage(storage: TabStorage, now: number): LeftPage | null {
  const page = storage.read(NAME) as LeftPage | null;
  storage.write(NAME, null);
  return page?.version === VERSION && now - page.at < NEXT_PAGE_TIME ? page : null;
}
