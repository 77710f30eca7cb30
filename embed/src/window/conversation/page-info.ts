/** What the host page says about itself and its visitor, for the agent. */
import { MAX_PAGE_BYTES } from '../../generated/limits';
import type { Context, PageState } from '../../shared/messages';

const MAX_URL_LENGTH = 1_024;
/** Cut by characters: the service rejects JSON with half of an emoji. */
const LONG_TITLE = /^(.{256}).+/su;

/**
 * The `custom_metadata` of a start; a context that is too large is left out.
 * `isMessageWaiting`: the visitor has asked already, so that the agent answers instead of greeting.
 */
export function metadataOf(
  { url, title }: PageState,
  context: Context,
  isMessageWaiting: boolean,
): Record<string, unknown> {
  const hint = isMessageWaiting && { message_waiting: true };
  const full = { url, title, context, ...hint };
  const size = new TextEncoder().encode(JSON.stringify(full)).length;
  if (size <= MAX_PAGE_BYTES) return full;
  return { url: url.slice(0, MAX_URL_LENGTH), title: title.replace(LONG_TITLE, '$1'), ...hint };
}
