/** What the launcher of a closed window shows of new messages. Pure. */
import type { UnreadInfo } from '../../shared/messages';
import { parseMarkdown, plainTextOf } from '../markdown';
import type { State } from './window-state';

/** The launcher shows a few lines: 200 characters, or one less where the last one is a space. */
const LONG_TEXT = /^(.{199}\S?)..+/su;

/** The beginning of the newest message is shown once it is complete, and never during a call. */
export function unreadOf({ unread, messages, voice }: State): UnreadInfo {
  const last = messages.at(-1);
  const isShown =
    unread > 0 && voice.name !== 'on' && last?.role === 'agent' && last.state === 'done';
  return {
    count: unread,
    preview: isShown ? plainTextOf(parseMarkdown(last.text)).replace(LONG_TEXT, '$1…') : '',
  };
}
