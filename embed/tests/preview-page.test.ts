/** When the page of a preview asks for the newest draft, and when it draws it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFollower } from '../src/preview-page/follow';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const state = { revision: 1, hasWindow: false, isHidden: false, fitsInPlace: true };
  const page = {
    readRevision: vi.fn(async () => state.revision),
    update: vi.fn(async () => state.fitsInPlace),
    redraw: vi.fn(),
    hasWindow: () => state.hasWindow,
    showEnd: vi.fn(),
    isHidden: () => state.isHidden,
    now: () => Date.now(),
  };
  const follower = createFollower(1, page);
  return { state, page, follower };
}

test('another draft is shown in place within a second', async () => {
  const { state, page, follower } = setUp();
  await follower.ask();
  expect(page.update).not.toHaveBeenCalled();
  state.revision = 2;
  await vi.advanceTimersByTimeAsync(999);
  expect(page.update).toHaveBeenCalledOnce();
  expect(page.redraw).not.toHaveBeenCalled();
});

test('what does not fit in place is drawn anew, with a window at most each two seconds', async () => {
  const { state, page, follower } = setUp();
  state.fitsInPlace = false;
  await follower.ask();
  for (state.revision = 2; state.revision < 5; state.revision += 1)
    await vi.advanceTimersByTimeAsync(400);
  expect(page.redraw).toHaveBeenCalledTimes(3);
  state.hasWindow = true;
  const before = page.redraw.mock.calls.length;
  for (const revision of [10, 11, 12, 13]) {
    state.revision = revision;
    await vi.advanceTimersByTimeAsync(400);
  }
  expect(page.redraw.mock.calls.length - before).toBeLessThanOrEqual(1);
  await vi.advanceTimersByTimeAsync(2_000);
  const after = page.redraw.mock.calls.length;
  // The last one is drawn, too, and then nothing more.
  expect(after).toBeGreaterThan(before);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(page.redraw).toHaveBeenCalledTimes(after);
});

test('a page that nobody looks at asks for nothing', async () => {
  const { state, page, follower } = setUp();
  state.isHidden = true;
  await follower.ask();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.readRevision).not.toHaveBeenCalled();
  state.isHidden = false;
  await follower.ask();
  expect(page.readRevision).toHaveBeenCalledOnce();
});

test('a service that does not answer is asked again, and one that refuses is not', async () => {
  const { page, follower } = setUp();
  page.readRevision.mockRejectedValueOnce(new TypeError('no answer'));
  page.readRevision.mockRejectedValueOnce({ status: 503 });
  await follower.ask();
  await vi.advanceTimersByTimeAsync(3_000);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.readRevision).toHaveBeenCalledTimes(3);
  expect(page.showEnd).not.toHaveBeenCalled();
  page.readRevision.mockRejectedValue({ status: 403 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.showEnd).toHaveBeenCalledOnce();
  await follower.ask();
  expect(page.readRevision).toHaveBeenCalledTimes(4);
});
