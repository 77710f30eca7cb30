/** What the launcher of a closed window shows of new messages. Pure. */
import type { UnreadInfo } from '../../shared/messages';
import { parseMarkdown, plainTextOf } from '../markdown';
import type { State } from './window-state';

/** In UTF-16 units; the launcher shows a few lines. */
const MAX_PREVIEW_LENGTH = 200;

/** The beginning of the newest message is shown once it is complete, and never during a call. */
export function unreadOf({ unread, messages, voice }: State): UnreadInfo {
  const last = messages.at(-1);
  const isShown =
    unread > 0 && voice.name !== 'on' && last?.role === 'agent' && last.state === 'done';
  return { count: unread, preview: isShown ? shorten(plainTextOf(parseMarkdown(last.text))) : '' };
}

function shorten(text: string): string {
  return text.length > MAX_PREVIEW_LENGTH
    ? `${text.slice(0, MAX_PREVIEW_LENGTH).trimEnd()}…`
    : text;
}
