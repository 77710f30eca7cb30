/** Storage that works, that throws, and that holds nonsense. */
import { expect, test } from 'vitest';
import { createMemory, type OpenStorage } from '../src/window/storage';

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
])('a conversation is remembered and forgotten when storage %s', (_, open) => {
  const memory = createMemory('w1', open);
  expect(memory.conversation(2_000)).toBeNull();
  memory.saveConversation(saved);
  expect(memory.conversation(2_000)).toEqual(saved);
  memory.saveConversation({ ...saved, token: 't2' });
  expect(memory.conversation(2_000)?.token).toBe('t2');
  memory.saveConversation(null);
  expect(memory.conversation(2_000)).toBeNull();
});

test('two windows share working storage, widgets do not', () => {
  const open = working();
  createMemory('w1', open).saveConversation(saved);
  expect(createMemory('w1', open).conversation(2_000)).toEqual(saved);
  expect(createMemory('w2', open).conversation(2_000)).toBeNull();
});

test('a conversation whose token has run out is not offered', () => {
  const memory = createMemory('w1', working());
  memory.saveConversation(saved);
  expect(memory.conversation(1_000 + 24 * 3_600_000 + 1)).toBeNull();
});

test.each(['{', 'null', '7', '[]', '{"id":7,"token":"x","at":1}', '{"id":"x"}'])(
  'what is no conversation is none: %s',
  (text) => {
    const memory = createMemory('w1', () => ({
      getItem: () => text,
      setItem: () => {},
      removeItem: () => {},
    }));
    expect(memory.conversation(0)).toBeNull();
  },
);
