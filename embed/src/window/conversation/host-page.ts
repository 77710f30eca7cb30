/** What the host page says about itself and its visitor, and how the agent gets it. */
import type { Context, PageState } from '../../shared/messages';
import type { Attempt } from './attempt';
import { metadataOf } from './page-info';

/** The address without the token of a preview: whoever has that has the link. */
const withoutToken = ({ url, title }: PageState): PageState => ({
  url: url.replace(/(\/public\/preview\/)[^/?#]+/, '$1'),
  title,
});

export class HostPage {
  #context: Context = {};
  #page: PageState = { url: '', title: '' };
  readonly #attempt: () => Pick<Attempt, 'isAgentReady' | 'sendData'> | null;

  /** `attempt`: the one whose agent gets what changes. */
  constructor(attempt: () => Pick<Attempt, 'isAgentReady' | 'sendData'> | null) {
    this.#attempt = attempt;
  }

  /** Called once, when the loader has sent the page's data. */
  set(context: Context, page: PageState) {
    this.#context = context;
    this.#page = withoutToken(page);
  }

  /** The page has another address or title, without having been loaded. */
  change(page: PageState) {
    const { url, title } = this.#page;
    this.#page = withoutToken(page);
    if (url !== this.#page.url || title !== this.#page.title) this.#sendPage();
  }

  setContext(context: Context) {
    this.#context = context;
    this.#sendContext();
  }

  /** The agent has arrived, and may not be the one that was there at the start. */
  send() {
    this.#sendPage();
    if (Object.keys(this.#context).length) this.#sendContext();
  }

  /** The `custom_metadata` of a start. */
  describe(isMessageWaiting: boolean): Record<string, unknown> {
    return metadataOf(this.#page, this.#context, isMessageWaiting);
  }

  #sendPage() {
    if (this.#page.url) this.#sendData('web-widget.page', this.#page);
  }

  #sendContext() {
    this.#sendData('web-widget.context', this.#context);
  }

  #sendData(topic: string, value: object) {
    const attempt = this.#attempt();
    if (attempt?.isAgentReady) attempt.sendData(topic, value);
  }
}
