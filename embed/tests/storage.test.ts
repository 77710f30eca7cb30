/** Storage that works, that throws, and that contains something else. */
import { expect, test } from 'vitest';
import { createStorage, type OpenStorage } from '../src/window/storage';

function working(): OpenStorage {
  const items = new Map<string, string>();
  return () => ({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  });
}

const blocked: OpenStorage = () => {
  throw new DOMException('Access is denied', 'SecurityError');
};

const full: OpenStorage = () => ({
  getItem: () => null,
  setItem: () => {
    throw new DOMException('full', 'QuotaExceededError');
  },
  removeItem: () => {},
});

const saved = { id: 'c1', token: 't1', at: 1_000 };

test.each([
  ['works', working()],
  ['is blocked', blocked],
  ['is full', full],
])('a conversation is saved and deleted when storage %s', (_, open) => {
  const storage = createStorage('w1', open);
  expect(storage.conversation(2_000)).toBeNull();
  storage.saveConversation(saved);
  expect(storage.conversation(2_000)).toEqual(saved);
  storage.saveConversation({ ...saved, token: 't2' });
  expect(storage.conversation(2_000)?.token).toBe('t2');
  storage.saveConversation(null);
  expect(storage.conversation(2_000)).toBeNull();
});

test('two windows share working storage, widgets do not', () => {
  const open = working();
  createStorage('w1', open).saveConversation(saved);
  expect(createStorage('w1', open).conversation(2_000)).toEqual(saved);
  expect(createStorage('w2', open).conversation(2_000)).toBeNull();
});

test('a conversation whose token has expired is not offered', () => {
  const storage = createStorage('w1', working());
  storage.saveConversation(saved);
  expect(storage.conversation(1_000 + 24 * 3_600_000 + 1)).toBeNull();
});

test.each(['{', 'null', '7', '[]', '{"id":7,"token":"x","at":1}', '{"id":"x"}'])(
  'what is not a conversation is ignored: %s',
  (text) => {
    const storage = createStorage('w1', () => ({
      getItem: () => text,
      setItem: () => {},
      removeItem: () => {},
    }));
    expect(storage.conversation(0)).toBeNull();
  },
);
