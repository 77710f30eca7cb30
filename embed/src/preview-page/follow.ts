/** When the page of a preview asks for the newest draft, and when it draws it. */

/** How often the service is asked, in milliseconds, and how often where it does not answer. */
const INTERVAL = 400;
const RETRY_INTERVAL = 3_000;

/**
 * How often the widget is drawn anew at most while it has a window, in milliseconds: the window
 * resumes its conversation then, which it may do thirty times a minute.
 */
const REDRAW_INTERVAL = 2_000;

export interface FollowedPage {
  /** Counts the drafts; throws the answer of the service when it refuses. */
  readRevision(): Promise<number>;
  /** Shows the newest draft in place; false when that needs more. */
  update(): Promise<boolean>;
  /** Draws the widget anew. */
  redraw(): void;
  hasWindow(): boolean;
  /** The preview has ended. */
  showEnd(): void;
  isHidden(): boolean;
  /** In milliseconds. */
  now(): number;
}

export interface Follower {
  /** Asks now, and then again and again while the page is looked at. */
  ask(): Promise<void>;
}

export function createFollower(shown: number, page: FollowedPage): Follower {
  let newest = shown;
  let timer: ReturnType<typeof setTimeout>;
  let isAsking = false;
  let needsRedraw = false;
  let drawnAt = Number.NEGATIVE_INFINITY;

  async function follow(): Promise<number> {
    const revision = await page.readRevision();
    if (revision !== newest) {
      needsRedraw = !(await page.update()) || needsRedraw;
      newest = revision;
    }
    const isFree = !page.hasWindow() || page.now() - drawnAt >= REDRAW_INTERVAL;
    if (needsRedraw && isFree) {
      needsRedraw = false;
      drawnAt = page.now();
      page.redraw();
    }
    return INTERVAL;
  }

  async function ask() {
    clearTimeout(timer);
    if (isAsking || page.isHidden()) return;
    isAsking = true;
    const wait = await follow().catch((answer: Partial<Response>) =>
      answer.status === 403 ? 0 : RETRY_INTERVAL,
    );
    // There is nothing to ask for anymore.
    if (!wait) return page.showEnd();
    isAsking = false;
    timer = setTimeout(ask, wait);
  }

  return { ask };
}
