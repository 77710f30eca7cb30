/** Tabs of one browser tell each other who holds a conversation, however long they take. */
import { beforeEach, expect, test, vi } from 'vitest';
import { createTabs } from '../src/window/tabs';

/** Words that are on their way; they arrive when the test says so. */
let underWay: (() => void)[] = [];
const channels = new Set<FakeChannel>();

class FakeChannel extends EventTarget {
  constructor(readonly name: string) {
    super();
    channels.add(this);
  }
  postMessage(data: unknown) {
    for (const other of channels)
      if (other !== this && other.name === this.name)
        underWay.push(() => other.dispatchEvent(new MessageEvent('message', { data })));
  }
}

function arrive() {
  while (underWay.length) for (const word of underWay.splice(0)) word();
}

beforeEach(() => {
  underWay = [];
  channels.clear();
  vi.stubGlobal('BroadcastChannel', FakeChannel);
});

test('the tab that holds a conversation says so, the others keep silent', () => {
  const onHeld = vi.fn();
  createTabs('w1', vi.fn()).take('c1');
  createTabs('w1', vi.fn()).take('c2');
  createTabs('w2', vi.fn()).take('c3');
  const asking = createTabs('w1', vi.fn());
  asking.ask('c1', onHeld);
  expect(onHeld).not.toHaveBeenCalled();
  arrive();
  expect(onHeld).toHaveBeenCalledOnce();
  asking.ask('c3', onHeld);
  arrive();
  expect(onHeld).toHaveBeenCalledOnce();
});

test('a tab that holds a conversation no longer keeps silent', () => {
  const onHeld = vi.fn();
  const holding = createTabs('w1', vi.fn());
  holding.take('c1');
  holding.release();
  createTabs('w1', vi.fn()).ask('c1', onHeld);
  arrive();
  expect(onHeld).not.toHaveBeenCalled();
});

test('taking a conversation over tells the tab that held it, once', () => {
  const onTaken = vi.fn();
  createTabs('w1', onTaken).take('c1');
  const taking = createTabs('w1', vi.fn());
  taking.take('c1');
  taking.take('c1');
  arrive();
  expect(onTaken.mock.calls).toEqual([['c1']]);
});

test('without a way to talk to other tabs, nothing is heard and nothing fails', () => {
  vi.stubGlobal('BroadcastChannel', undefined);
  const onHeld = vi.fn();
  const tabs = createTabs('w1', vi.fn());
  tabs.ask('c1', onHeld);
  tabs.take('c1');
  tabs.release();
  expect(onHeld).not.toHaveBeenCalled();
});
