/** Identifiers are UUIDs, also on plain http pages. */
import { afterEach, expect, test, vi } from 'vitest';
import { newId } from '../src/window/new-id';

afterEach(() => void vi.unstubAllGlobals());

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

test.each([
  ['with crypto.randomUUID', {}],
  ['without', { randomUUID: undefined }],
])('%s, each is another one', (_, changes) => {
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  const randomUUID = crypto.randomUUID.bind(crypto);
  vi.stubGlobal('crypto', { getRandomValues, randomUUID, ...changes });
  const ids = Array.from({ length: 100 }, newId);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(100);
});
