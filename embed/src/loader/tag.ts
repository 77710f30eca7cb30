/**
 * Finds out which widget a script is for. Usually its own tag says so; where there is no such tag
 * (modules, evaluated code, shadow roots, optimizers), the page is searched.
 */
import type { Context } from '../shared/messages';

/** What of an element is read; pages have `<script>`, and anything with `data-web-widget`. */
export interface Tag {
  src?: string;
  dataset: DOMStringMap;
}

/** The `data-*` attributes that a page may set on the script tag; others are left alone. */
export interface Options {
  /** A JSON object as text; an object once the page called `setContext`. */
  context?: string | Context;
  /** Present: the launcher is not drawn, and the page opens the window itself. */
  hidden?: string;
  /** A regular expression: the launcher is not drawn on the paths that it matches. */
  hiddenOn?: string;
  locale?: string;
  /** Present: the window opens at once. */
  open?: string;
  theme?: string;
  /** Present: the page's title shows how many messages are unread. */
  titleBadge?: string;
}

export interface Target {
  service: string;
  id: string;
  options: Options;
}

/**
 * `<service>/public/embed/<id>` or `…/<id>/<hash>.js`; a path prefix of the service is kept. Tag
 * managers that drop attributes write the options behind `?`.
 */
const ADDRESS = /^(.+)\/public\/embed\/([\w-]+)[^?]*\??([^#]*)/;

/** What a tag asks for; nothing when it is not one of ours. */
export function readTag({ src, dataset }: Tag): Target | '' | undefined {
  const [, service = dataset.service, id = dataset.webWidget, query] =
    ADDRESS.exec(src as string) || [];
  return (
    service &&
    id && {
      service,
      id,
      options: { ...Object.fromEntries(new URLSearchParams(query)), ...dataset },
    }
  );
}

/** The tags that the running script is for: its own, or what comes nearest. */
export function findTags(own: Tag | null, tags: Tag[], stack?: string): Tag[] {
  // The address of the running script, as browsers write it into a stack.
  const [src] = /http\S+?\/public\/embed\/[^\s:)]+/.exec(stack as string) || [];
  if (own && readTag(own)) return [own];
  if (src) return [tags.find((tag) => tag.src === src) || { src, dataset: {} }];
  return tags.filter(readTag);
}
