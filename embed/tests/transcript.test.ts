/** How streamed text, recognized speech and typed text become turns. */
import { describe, expect, test } from 'vitest';
import {
  addTyped,
  addWaiting,
  applyPiece,
  expectRest,
  type Message,
  markSent,
  type Piece,
  prepareForNewRoom,
  withoutAnswerTo,
} from '../src/window/conversation/transcript';

const NOW = '2026-01-01T00:00:00.000Z';

const piece = (fields: Partial<Piece>): Piece => ({
  segment: 's1',
  role: 'agent',
  text: '',
  starts: false,
  final: false,
  ...fields,
});

const play = (pieces: Partial<Piece>[]) =>
  pieces.reduce<Message[]>((messages, fields) => applyPiece(messages, piece(fields), NOW), []);

const shown = (messages: Message[]) => messages.map(({ role, text, state }) => [role, text, state]);

test('the text of one stream is joined', () => {
  const messages = play([{ text: 'We', starts: true }, { text: ' are open.' }, { final: true }]);
  expect(shown(messages)).toEqual([['agent', 'We are open.', 'done']]);
});

test('a second stream of a segment replaces the first: interim, then final speech', () => {
  const messages = play([
    { role: 'visitor', text: 'what are', starts: true },
    { role: 'visitor', text: 'What are your hours?', starts: true },
    { role: 'visitor', final: true },
  ]);
  expect(shown(messages)).toEqual([['visitor', 'What are your hours?', 'done']]);
});

test('turns keep the order in which they began', () => {
  const messages = play([
    { segment: 'a', text: 'First', starts: true },
    { segment: 'b', role: 'visitor', text: 'Wait', starts: true },
    { segment: 'a', text: ' words', final: true },
  ]);
  expect(messages.map((message) => message.text)).toEqual(['First words', 'Wait']);
});

test('a segment without text makes no turn', () => {
  expect(play([{ starts: true }, { final: true }])).toEqual([]);
  expect(play([{ text: '  ', starts: true }, { final: true }])).toEqual([]);
  expect(
    play([
      { text: 'um', starts: true },
      { text: '', starts: true, final: true },
    ]),
  ).toEqual([]);
});

test('typed text waits until it is sent', () => {
  const messages = addTyped([], 'm1', 'Hello', NOW);
  expect(messages[0]?.state).toBe('waiting');
  expect(markSent(messages, 'm1')[0]?.state).toBe('done');
  expect(markSent(messages, 'other')[0]?.state).toBe('waiting');
});

test('in a new room only what nobody answered is sent again', () => {
  const said = (
    id: string,
    role: 'visitor' | 'agent',
    state: Message['state'] = 'done',
  ): Message => ({
    id,
    role,
    text: id,
    created_at: NOW,
    state,
  });
  const before = [said('q1', 'visitor'), said('a1', 'agent', 'streaming'), said('q2', 'visitor')];
  expect(prepareForNewRoom(before).map((message) => message.state)).toEqual([
    'done',
    'done',
    'waiting',
  ]);
  const cutOff = before.slice(0, 2);
  expect(
    prepareForNewRoom(cutOff).map(({ id, state }) => [id, state]),
    'with an answer that was cut off, its question',
  ).toEqual([['q1', 'waiting']]);
});

describe('what waits below what the service has', () => {
  const turn = (id: string, role: Message['role'], text: string): Message => ({
    id,
    role,
    text,
    created_at: NOW,
    state: 'done',
  });
  const waiting = addTyped([], 'm1', 'Open?', NOW);
  const ids = (messages: Message[]) => messages.map(({ id }) => id);
  const question = turn('w1', 'visitor', 'Open?');
  const answer = turn('w2', 'agent', 'We');

  test.each<[string, Message[], string[]]>([
    ['nothing', [], ['m1']],
    ['other turns', [turn('w0', 'visitor', 'Hello'), answer], ['w0', 'w2', 'm1']],
    ['the same turn', [turn('m1', 'visitor', 'Open?')], ['m1']],
    ['the same turn and an answer', [turn('m1', 'visitor', 'Open?'), answer], ['w2', 'm1']],
    ['the turn as the worker heard it', [answer, question], ['w2', 'm1']],
    ['an answered question of the same words', [question, answer], ['w1', 'w2', 'm1']],
    ['a greeting of the same words', [turn('w0', 'agent', 'Open?')], ['w0', 'm1']],
  ])('%s', (_, earlier, expected) => {
    expect(ids(addWaiting(earlier, waiting))).toEqual(expected);
  });

  test.each<[string, Message[], string[]]>([
    ['its answer', [answer, question, turn('w3', 'agent', 'We')], ['w2', 'w1']],
    ['nothing of other questions', [turn('w0', 'visitor', 'Hello'), answer], ['w0', 'w2']],
    ['nothing of a greeting', [answer], ['w2']],
  ])('leaves out %s', (_, earlier, expected) => {
    expect(ids(withoutAnswerTo(waiting, earlier))).toEqual(expected);
  });
});

describe('an answer that the end of a call cuts off', () => {
  const cut = () =>
    expectRest(play([{ text: 'We roast ', starts: true }, { text: 'three coffees' }]));

  const continued = (pieces: Partial<Piece>[]) =>
    pieces.reduce<Message[]>((messages, fields) => applyPiece(messages, piece(fields), NOW), cut());

  test('is continued in writing, in the same bubble', () => {
    const messages = continued([
      { final: true },
      { segment: 's2', text: 'on the', starts: true },
      { segment: 's2', text: ' quay.' },
      { segment: 's2', final: true },
    ]);
    expect(shown(messages)).toEqual([['agent', 'We roast three coffees on the quay.', 'done']]);
    expect(messages.map(({ id }) => id)).toEqual(['s1']);
  });

  test('is not said twice by an agent that writes it from the first word on', () => {
    const texts = ['We ', 'roast three', ' coffees', ' on the quay.'].map((text, index) => ({
      segment: 's2',
      text,
      starts: index === 0,
    }));
    const seen = texts.map((_, index) => continued(texts.slice(0, index + 1)).at(0)?.text);
    const whole = 'We roast three coffees on the quay.';
    expect(seen).toEqual([...Array(2).fill('We roast three coffees'), whole.slice(0, 22), whole]);
  });

  test('is not said twice where the window was a word ahead', () => {
    const seen = ['three', ' coffees on', ' the quay.'].map((_, index, texts) => {
      const pieces = texts.slice(0, index + 1).map((text, at) => ({
        segment: 's2',
        text,
        starts: at === 0,
      }));
      return continued(pieces).at(0)?.text;
    });
    expect(seen).toEqual([
      'We roast three coffees',
      'We roast three coffees on',
      'We roast three coffees on the quay.',
    ]);
  });

  test('stays as it is when the visitor speaks first', () => {
    const asked = addTyped(continued([{ final: true }]), 'v1', 'And tea?', NOW);
    const messages = applyPiece(asked, piece({ segment: 's2', text: 'No.', starts: true }), NOW);
    expect(shown(messages).map(([, text]) => text)).toEqual([
      'We roast three coffees',
      'And tea?',
      'No.',
    ]);
  });

  test('may also continue in its own stream, of a worker that does not stop', () => {
    expect(shown(continued([{ text: ' on the quay.' }, { final: true }]))).toEqual([
      ['agent', 'We roast three coffees on the quay.', 'done'],
    ]);
  });

  test('is not one that was complete', () => {
    const messages = expectRest(play([{ text: 'Hello.', starts: true }, { final: true }]));
    const next = applyPiece(messages, piece({ segment: 's2', text: 'Yes?', starts: true }), NOW);
    expect(next).toHaveLength(2);
  });
});
