'use strict';
/**
 * The script of the page of a preview: follows the draft while the page is looked at, and says when
 * the preview has ended.
 */
{
  // In milliseconds: how often the service is asked, and how often where it does not answer.
  const INTERVAL = 400;
  const RETRY_INTERVAL = 3000;
  // A window that is drawn anew resumes its conversation, which it may do thirty times a minute.
  const REDRAW_INTERVAL = 2000;

  const { widget, revision } = document.body.dataset;
  const { src } = document.getElementById('loader');
  const notice = document.querySelector('#notice span');
  const end = notice.querySelector('time');
  let shown = Number(revision);
  let timer;
  let isAsking = false;
  let hasWindow = false;
  let drawnAt = -Infinity;

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
    drawnAt = performance.now();
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    remove();
    // Without it, the loader is on its way, and gets the newest draft by itself.
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
    const isFree = !hasWindow || performance.now() - drawnAt >= REDRAW_INTERVAL;
    if (state.revision !== shown && isFree) {
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

  window.addEventListener('message', ({ origin, data }) => {
    if (origin === location.origin && data?.type === 'web-widget:ready') hasWindow = true;
  });
  document.addEventListener('visibilitychange', follow);
  timer = setTimeout(follow, INTERVAL);
}
