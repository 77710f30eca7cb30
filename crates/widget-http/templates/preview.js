'use strict';
/**
 * The script of the page of a preview: follows the draft while the page is looked at, and says when
 * the preview has ended.
 */
{
  // In milliseconds: how often the service is asked, and how often where it does not answer.
  const INTERVAL = 400;
  const RETRY_INTERVAL = 3000;

  const { widget, revision } = document.body.dataset;
  const { src } = document.getElementById('loader');
  const notice = document.querySelector('#notice span');
  const end = notice.querySelector('time');
  let shown = Number(revision);
  let timer;
  let isAsking = false;

  end.textContent = new Intl.DateTimeFormat(undefined, {
    dateStyle: 'long',
    timeStyle: 'short',
  }).format(new Date(end.dateTime));

  const remove = () => window.WebWidget?.get(widget)?.destroy();

  /**
   * Draws the widget anew. The window continues where it was, as on the way to the next page of a
   * site: it leaves behind what it has, and takes it over again.
   */
  function redraw() {
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    remove();
    window.WebWidget?.add({ src, dataset: {} });
  }

  function showEnd() {
    remove();
    document.body.classList.add('over');
    notice.textContent = 'This preview has ended. Ask whoever sent the link for a new one.';
  }

  /** How long to wait until the next question; nothing when there is none. */
  async function ask() {
    const answer = await fetch(`${location.pathname}/state`, {
      cache: 'no-store',
      credentials: 'omit',
    });
    if (answer.status === 403) {
      showEnd();
      return;
    }
    if (!answer.ok) return RETRY_INTERVAL;
    const state = await answer.json();
    // The loader may still be on its way, and then gets the newest draft by itself.
    if (state.revision !== shown) {
      shown = state.revision;
      redraw();
    }
    return INTERVAL;
  }

  async function follow() {
    clearTimeout(timer);
    if (isAsking || document.hidden) return;
    isAsking = true;
    const wait = await ask().catch(() => RETRY_INTERVAL);
    // There is nothing to ask for any more.
    if (!wait) return;
    isAsking = false;
    timer = setTimeout(follow, wait);
  }

  document.addEventListener('visibilitychange', follow);
  timer = setTimeout(follow, INTERVAL);
}
