/** The tabs of one browser know which of them has a conversation, however late they answer. */
import { beforeEach, expect, test, vi } from 'vitest';
import { createOtherTabs } from '../src/window/conversation/other-tabs';

/** Messages that were posted; they arrive when the test delivers them. */
let posted: (() => void)[] = [];
const channels = new Set<FakeChannel>();

class FakeChannel extends EventTarget {
  constructor(readonly name: string) {
    super();
    channels.add(this);
  }
  postMessage(data: unknown) {
    for (const other of channels)
      if (other !== this && other.name === this.name)
        posted.push(() => other.dispatchEvent(new MessageEvent('message', { data })));
  }
}

function deliver() {
  while (posted.length) for (const message of posted.splice(0)) message();
}

beforeEach(() => {
  posted = [];
  channels.clear();
  vi.stubGlobal('BroadcastChannel', FakeChannel);
});

test('the tab that has a conversation answers, the others do not', () => {
  const onOpenElsewhere = vi.fn();
  createOtherTabs('w1', vi.fn()).claim('c1');
  createOtherTabs('w1', vi.fn()).claim('c2');
  createOtherTabs('w2', vi.fn()).claim('c3');
  const asking = createOtherTabs('w1', vi.fn());
  asking.ask('c1', onOpenElsewhere);
  expect(onOpenElsewhere).not.toHaveBeenCalled();
  deliver();
  expect(onOpenElsewhere).toHaveBeenCalledOnce();
  asking.ask('c3', onOpenElsewhere);
  deliver();
  expect(onOpenElsewhere).toHaveBeenCalledOnce();
});

test('a tab that released a conversation does not answer', () => {
  const onOpenElsewhere = vi.fn();
  const owner = createOtherTabs('w1', vi.fn());
  owner.claim('c1');
  owner.release();
  createOtherTabs('w1', vi.fn()).ask('c1', onOpenElsewhere);
  deliver();
  expect(onOpenElsewhere).not.toHaveBeenCalled();
});

test('claiming a conversation informs the tab that had it, once', () => {
  const onClaimed = vi.fn();
  createOtherTabs('w1', onClaimed).claim('c1');
  const claiming = createOtherTabs('w1', vi.fn());
  claiming.claim('c1');
  claiming.claim('c1');
  deliver();
  expect(onClaimed.mock.calls).toEqual([['c1']]);
});

test('a tab that claims a conversation later informs those that have asked for it', () => {
  const onOpenElsewhere = vi.fn();
  createOtherTabs('w1', vi.fn()).ask('c1', onOpenElsewhere);
  createOtherTabs('w1', vi.fn()).claim('c1');
  deliver();
  expect(onOpenElsewhere).toHaveBeenCalledOnce();
});

test('without a channel to other tabs, nothing arrives and nothing fails', () => {
  vi.stubGlobal('BroadcastChannel', undefined);
  const onOpenElsewhere = vi.fn();
  const tabs = createOtherTabs('w1', vi.fn());
  tabs.ask('c1', onOpenElsewhere);
  tabs.claim('c1');
  tabs.release();
  expect(onOpenElsewhere).not.toHaveBeenCalled();
});
