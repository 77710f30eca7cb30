/** The component for React, with hooks that remember as React's do. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import type { WebWidgetProps } from '../packages/web-widget/src/react';
import { useWebWidget } from '../packages/web-widget/src/react';

const hooks = vi.hoisted(() => ({
  cells: [] as unknown[],
  index: 0,
  effects: [] as (() => void)[],
}));

vi.mock('react', () => {
  const cell = <T>(create: () => T): [T, number] => {
    const at = hooks.index++;
    if (!(at in hooks.cells)) hooks.cells[at] = create();
    return [hooks.cells[at] as T, at];
  };
  return {
    useRef: (value: unknown) => cell(() => ({ current: value }))[0],
    useState(value: unknown) {
      const [current, at] = cell(() => value);
      const set = (next: unknown) => {
        hooks.cells[at] = next;
      };
      return [current, set];
    },
    useEffect(effect: () => void, needs?: unknown[]) {
      const [before, at] = cell<unknown[] | undefined>(() => undefined);
      if (needs && before?.every((need, index) => need === needs[index])) return;
      hooks.cells[at] = needs;
      hooks.effects.push(effect);
    },
  };
});

const widget = { on: () => () => {}, setContext: vi.fn(), destroy() {} };
vi.mock('../packages/web-widget/src/index', () => ({ loadWebWidget: async () => widget }));

afterEach(() => void widget.setContext.mockReset());

/** A component of its own, which is drawn each time with the context. */
function mount() {
  const cells: unknown[] = [];
  return async (context?: WebWidgetProps['context']) => {
    for (let draws = 0; draws < 2; draws += 1) {
      Object.assign(hooks, { cells, index: 0, effects: [] });
      useWebWidget({ service: 'https://widgets.example', id: 'w1', ...(context && { context }) });
      for (const effect of hooks.effects) effect();
      await Promise.resolve().then(() => {});
    }
  };
}

test('another component with another context sends it', async () => {
  await mount()({ page: 'one' });
  await mount()({ page: 'two' });
  expect(widget.setContext).toHaveBeenLastCalledWith({ page: 'two' });
});

test('a context is sent once, another one again, and one that is gone as an empty one', async () => {
  const draw = mount();
  await draw({ plan: 'gold' });
  await draw({ plan: 'gold' });
  expect(widget.setContext).toHaveBeenCalledOnce();
  await draw({ plan: 'free' });
  await draw();
  expect(widget.setContext.mock.calls.slice(1)).toEqual([[{ plan: 'free' }], [{}]]);
});

test('a component without a context leaves that of another one alone', async () => {
  await mount()();
  expect(widget.setContext).not.toHaveBeenCalled();
});

test('a layout that React draws on the server can have the component', () => {
  const source = readFileSync('packages/web-widget/src/react.ts', 'utf8');
  expect(source).toMatch(/^(\/\*\*.*\*\/\n)?'use client';\n/);
});
