/** What single events change, and what they leave. */
import { expect, test } from 'vitest';
import {
  type Event,
  initialState,
  reduce,
  type State,
} from '../src/window/conversation/window-state';
import { form } from './fixtures';

const play = (events: Event[], state: State = initialState()) => events.reduce(reduce, state);

const NOW = '2026-01-01T00:00:00Z';
const TYPED: Event = { type: 'typed', id: 'm2', text: 'And tea?', now: NOW };

test('an earlier conversation that is offered stands above what was typed meanwhile', () => {
  const said = { id: 'm1', role: 'agent', text: 'Hi', created_at: NOW, state: 'done' } as const;
  const offered: Event = { type: 'offered', id: 'c1', messages: [said], isOpenElsewhere: false };
  expect(play([TYPED, offered]).messages).toMatchObject([said, { id: 'm2', state: 'waiting' }]);
});

test('another room has sound until the browser says otherwise, and the same microphone', () => {
  const state = play([
    { type: 'call-started', isMuted: false },
    { type: 'sound-blocked', isBlocked: true },
    { type: 'interrupted', isInterrupted: true },
    { type: 'new-room' },
  ]);
  expect(state).toMatchObject({ isSoundBlocked: false, isInterrupted: true });
});

test('a page that the browser kept continues without what was under way when it was left', () => {
  const definition = form('hello', []);
  const left = play([
    { type: 'visibility', isOpen: true },
    { type: 'expanded', isExpanded: true },
    { type: 'consented' },
    { type: 'draft', text: 'And' },
  ]);
  const messages = play([TYPED]).messages;
  const kept = play(
    [
      TYPED,
      { type: 'late' },
      { type: 'sound-blocked', isBlocked: true },
      { type: 'interrupted', isInterrupted: true },
      { type: 'form', form: { definition, values: {}, errors: [] } },
      { type: 'returned', id: 'c1', hasEnded: false, messages, requests: [] },
    ],
    left,
  );
  expect(kept).toEqual({ ...left, phase: { name: 'starting' }, conversationId: 'c1', messages });
});

test('a conversation that is put aside leaves the window as it is, and the draft', () => {
  const window: Event[] = [
    { type: 'visibility', isOpen: true },
    { type: 'expanded', isExpanded: true },
    { type: 'consented' },
    { type: 'draft', text: 'And' },
  ];
  expect(play([...window, TYPED, { type: 'reset' }])).toEqual(play(window));
});
