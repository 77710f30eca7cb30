/** The conversation against a service, a room and a clock that do as they are told. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationStart, Joining, VisitorConversation } from '../src/generated/api';
import { SILENCE, THINKING_SILENCE } from '../src/window/attention';
import type { Config } from '../src/window/config';
import type { Host } from '../src/window/host';
import type { Live, LiveEvents } from '../src/window/live';
import { ServiceProblem } from '../src/window/problem';
import type { Service } from '../src/window/service';
import { Session } from '../src/window/session';
import { createMemory, type Memory } from '../src/window/storage';
import { config, field, form } from './fixtures';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function conversation(changes: Partial<VisitorConversation> = {}): VisitorConversation {
  return {
    id: 'c1',
    status: 'in_progress',
    mode: 'text',
    created_at: '2026-01-01T00:00:00Z',
    messages: [],
    ...changes,
  };
}

/** Everything around a session, with what it did written down. */
function setUp(changes: Partial<Config> = {}, memory?: Memory) {
  let count = 0;
  const joining = (status: Partial<VisitorConversation> = {}): Joining => {
    count += 1;
    return {
      conversation: conversation(status),
      conversation_token: `token${count}`,
      server_url: 'ws://livekit',
      participant_token: `participant${count}`,
      room_name: `room${count}`,
      expires_at: '2026-01-02T00:00:00Z',
    };
  };
  const service = {
    start: vi.fn(async (_ticket: string, { mode = 'text' }: Partial<ConversationStart>) =>
      joining({ mode }),
    ),
    resume: vi.fn(async () => joining()),
    read: vi.fn(async () => conversation()),
    end: vi.fn(async () => {}),
    report: vi.fn(async () => {}),
    submitForm: vi.fn(async () => {}),
    submitFeedback: vi.fn(async () => {}),
  } satisfies Service;
  const host = {
    send: vi.fn(),
    emit: vi.fn(),
    ticket: vi.fn(async () => 'ticket'),
  } satisfies Host;
  const rooms: { events: LiveEvents; live: ReturnType<typeof room>; token: string }[] = [];
  const room = () =>
    ({
      send: vi.fn(async () => {}),
      setMode: vi.fn(async () => true),
      hear: vi.fn(),
      speak: vi.fn(async () => {}),
      mute: vi.fn(async () => {}),
      hush: vi.fn(async () => {}),
      levels: () => ({ visitor: 0, agent: 0 }),
      leave: vi.fn(async () => {}),
    }) satisfies Live;
  const join = vi.fn(async (_url: string, token: string, _forms: string[], events: LiveEvents) => {
    const live = room();
    rooms.push({ events, live, token });
    return live as Live;
  });
  const track = Object.assign(new EventTarget(), { stop: vi.fn() });
  const openMicrophone = vi.fn(async () => track as unknown as MediaStreamTrack | 'denied');
  const tabs = {
    ask: vi.fn((_id: string, _onHeld: () => void) => {}),
    take: vi.fn(),
    release: vi.fn(),
  };
  let lose: (id: string) => void = () => {};
  const remembered =
    memory ??
    createMemory('w1', () => {
      throw new Error('blocked');
    });
  const session = new Session({
    config: config(changes),
    service,
    host,
    memory: remembered,
    createTabs: (onTaken) => {
      lose = onTaken;
      return tabs;
    },
    loadLive: async () => ({ join }),
    openMicrophone,
    now: () => Date.now(),
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  /** The agent comes and says that it listens. */
  const agentComes = async () => {
    rooms.at(-1)?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(200);
  };
  const agentSays = (text: string, segment = 'a1') => {
    const events = rooms.at(-1)?.events;
    events?.piece({ segment, role: 'agent', text, starts: true, final: false });
    events?.piece({ segment, role: 'agent', text: '', starts: false, final: true });
  };
  const lost = () => lose('c1');
  return {
    session,
    service,
    host,
    rooms,
    join,
    openMicrophone,
    track,
    tabs,
    lost,
    settle,
    agentComes,
    agentSays,
    memory: remembered,
  };
}

describe('starting', () => {
  test('nothing happens before the first words, then a ticket, a conversation, a room', async () => {
    const { session, service, host, rooms, settle } = setUp();
    session.show(true);
    await settle();
    expect(host.ticket).not.toHaveBeenCalled();
    session.init({ plan: 'gold' }, { url: 'https://shop.example/', title: 'Shop' });
    session.say(' Hello ');
    await settle();
    expect(service.start).toHaveBeenCalledWith('ticket', {
      mode: 'text',
      custom_metadata: { url: 'https://shop.example/', title: 'Shop', context: { plan: 'gold' } },
    });
    expect(rooms).toHaveLength(1);
    expect(session.state.phase).toBe('live');
    expect(session.state.messages.map((m) => [m.text, m.state])).toEqual([['Hello', 'waiting']]);
  });

  test('what was typed is handed over once the agent is there, in order and once', async () => {
    const { session, rooms, settle, agentComes } = setUp();
    session.say('one');
    session.say('two');
    await settle();
    session.say('three');
    expect(rooms[0]?.live.send).not.toHaveBeenCalled();
    await agentComes();
    expect(rooms[0]?.live.send.mock.calls).toEqual([
      ['lk.chat', 'one'],
      ['lk.chat', 'two'],
      ['lk.chat', 'three'],
    ]);
    expect(session.state.messages.every((m) => m.state === 'done')).toBe(true);
  });

  test('a greeting is not cut short by what was typed before it', async () => {
    const { session, rooms, settle } = setUp();
    session.say('Hello');
    await settle();
    rooms[0]?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(20);
    rooms[0]?.events.agent('speaking');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rooms[0]?.live.send).not.toHaveBeenCalled();
    rooms[0]?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(200);
    expect(rooms[0]?.live.send).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('a worker that never tells its state is spoken to all the same', async () => {
    const { session, rooms, settle } = setUp();
    session.say('Hello');
    await settle();
    rooms[0]?.events.agent('initializing');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(rooms[0]?.live.send).toHaveBeenCalledOnce();
  });

  test('too large a context is left out rather than the conversation', async () => {
    const { session, service, settle } = setUp();
    session.init({ big: 'x'.repeat(5_000) }, { url: 'https://shop.example/', title: 'Shop' });
    session.start();
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({
      custom_metadata: { url: 'https://shop.example/', title: 'Shop' },
    });
  });

  test('opening starts it where the owner wants that', async () => {
    const { session, service, settle } = setUp({ start_conversation_on_toggle: true });
    session.show(true);
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
  });

  test('consent comes first, and is asked for once', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, service, settle, memory } = setUp({ notice });
    session.say('Hello');
    await settle();
    expect(service.start).not.toHaveBeenCalled();
    session.consent();
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(setUp({ notice }, memory).session.state.consented).toBe(true);
  });

  test('the form before it is filled in once, unless its fields change', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text', required: true })]);
    const { session, service, settle, memory } = setUp({ pre_conversation_form: hello });
    session.say('Hello');
    expect(session.state.form?.moment).toBe('before');
    await session.closeForm({ name: 'Ada' });
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({ form: { name: 'Ada' } });
    expect(session.state.form).toBeNull();
    const again = setUp({ pre_conversation_form: hello }, memory);
    again.session.say('Hello');
    await again.settle();
    expect(again.service.start.mock.calls[0]?.[1]).toMatchObject({ form: { name: 'Ada' } });
    const changed = form('hello', [field({ id: 'name', type: 'email', required: true })]);
    const other = setUp({ pre_conversation_form: changed }, memory);
    other.session.say('Hello');
    expect(other.session.state.form?.values).toEqual({ name: 'Ada' });
  });

  test('a form that the service refuses is shown again as it was filled in', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text' })]);
    const { session, service, settle } = setUp({ pre_conversation_form: hello });
    service.start.mockRejectedValueOnce(new ServiceProblem('form_invalid', 422));
    session.say('Hello');
    await session.closeForm({ name: 'Ada' });
    await settle();
    expect(session.state).toMatchObject({ phase: 'idle', form: { values: { name: 'Ada' } } });
    await session.closeForm({ name: 'Ada L' });
    await settle();
    expect(session.state.phase).toBe('live');
    expect(service.start.mock.calls[1]?.[1]).toMatchObject({ form: { name: 'Ada L' } });
  });

  test('a ticket that came too late is replaced', async () => {
    const { session, service, host, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('ticket_expired', 401));
    session.say('Hello');
    await settle();
    session.retryNow();
    await settle();
    expect(host.ticket).toHaveBeenCalledTimes(2);
    expect(session.state.phase).toBe('live');
  });

  test('voice by default waits for consent, and then asks for the microphone', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, openMicrophone, settle } = setUp({ notice, default_mode: 'voice' });
    session.show(true);
    await settle();
    expect(openMicrophone).not.toHaveBeenCalled();
    session.consent();
    await settle();
    expect(openMicrophone).toHaveBeenCalledOnce();
    expect(session.state).toMatchObject({ mode: 'voice', phase: 'live' });
  });
});

describe('refusals', () => {
  test.each([
    ['widget_unavailable', 403],
    ['rate_limited', 429],
    ['livekit_not_configured', 503],
  ])('%s is said, and not tried again by itself', async (code, status) => {
    const { session, service, settle } = setUp();
    service.start.mockRejectedValue(new ServiceProblem(code, status));
    session.say('Hello');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toMatchObject({ phase: 'refused', refusal: code });
    expect(service.start).toHaveBeenCalledOnce();
    session.retryNow();
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
  });

  test('a service that is away is asked again, with a new ticket each time', async () => {
    const { session, service, host, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('network'));
    service.start.mockRejectedValueOnce(new ServiceProblem('internal', 503));
    session.say('Hello');
    await settle();
    expect(session.state.phase).toBe('retrying');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(session.state.phase).toBe('live');
    expect(host.ticket).toHaveBeenCalledTimes(3);
  });

  test('LiveKit that cannot be reached is tried again in the same room, later in a fresh one', async () => {
    const { session, service, join, settle } = setUp();
    join.mockRejectedValue(new Error('could not establish signal connection'));
    session.say('Hello');
    await settle();
    expect(session.state.phase).toBe('retrying');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(join.mock.calls.length).toBeGreaterThan(3);
    expect(service.resume).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.resume).toHaveBeenCalled();
    expect(service.start).toHaveBeenCalledOnce();
  });

  test('the visitor need not wait for the next attempt', async () => {
    const { session, service, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('network'));
    session.say('Hello');
    await settle();
    session.retryNow();
    await settle();
    expect(session.state.phase).toBe('live');
  });
});

describe('an agent that is not there', () => {
  test('never comes: it is said after ten seconds, and going on asks for a fresh room', async () => {
    const { session, service, rooms, settle, agentComes } = setUp();
    session.say('Hello');
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE - 1);
    expect(session.state.silent).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.state.silent).toBe(true);
    session.goOn();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'token1', 'ticket', 'text');
    expect(rooms[0]?.live.leave).toHaveBeenCalled();
    expect(session.state).toMatchObject({ phase: 'live', silent: false });
    await agentComes();
    expect(rooms[1]?.live.send).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('falls silent: the unanswered words are said again in the fresh room, the others not', async () => {
    const { session, rooms, settle, agentComes, agentSays } = setUp();
    session.say('one');
    await settle();
    await agentComes();
    agentSays('answer');
    session.say('two');
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE);
    expect(session.state.silent).toBe(true);
    session.goOn();
    await settle();
    await agentComes();
    expect(rooms[1]?.live.send.mock.calls).toEqual([['lk.chat', 'two']]);
    expect(session.state.messages.map((m) => m.text)).toEqual(['one', 'answer', 'two']);
  });

  test('is missed also when it was killed in the middle of a sentence', async () => {
    const { session, rooms, settle, agentComes, agentSays } = setUp();
    session.say('one');
    await settle();
    await agentComes();
    agentSays('answer');
    rooms[0]?.events.agent('speaking');
    session.say('two');
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE - 1);
    expect(session.state.silent).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.state.silent).toBe(true);
  });

  test('is given more time while it thinks', async () => {
    const { session, rooms, settle, agentComes } = setUp();
    session.say('Hello');
    await settle();
    await agentComes();
    rooms[0]?.events.agent('thinking');
    await vi.advanceTimersByTimeAsync(THINKING_SILENCE - 1);
    expect(session.state.silent).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.state.silent).toBe(true);
  });

  test('is forgiven when it answers after all', async () => {
    const { session, settle, agentComes, agentSays } = setUp();
    session.say('Hello');
    await settle();
    await agentComes();
    await vi.advanceTimersByTimeAsync(SILENCE);
    agentSays('Sorry, here I am');
    expect(session.state.silent).toBe(false);
    await vi.advanceTimersByTimeAsync(SILENCE * 2);
    expect(session.state.silent).toBe(false);
  });
});

describe('a room that is gone', () => {
  const live = async (changes: Partial<Config> = {}) => {
    const parts = setUp(changes);
    parts.session.say('Hello');
    await parts.settle();
    await parts.agentComes();
    parts.agentSays('Hi');
    return parts;
  };

  test('is replaced by a fresh one when the conversation is still on', async () => {
    const { session, service, rooms, settle } = await live();
    rooms[0]?.events.closed();
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(session.state.phase).toBe('live');
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello', 'Hi']);
  });

  test('is the end when the conversation has ended', async () => {
    const { session, service, rooms, settle, host, memory } = await live();
    service.read.mockResolvedValue(conversation({ status: 'completed' }));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase).toBe('ended');
    expect(service.resume).not.toHaveBeenCalled();
    expect(memory.conversation(Date.now())).toBeNull();
    expect(host.emit).toHaveBeenCalledWith('conversation-end', { conversation_id: 'c1' });
  });

  test('was taken by another tab when the token is worth nothing any more', async () => {
    const { session, service, rooms, settle } = await live();
    service.read.mockRejectedValue(new ServiceProblem('conversation_token_invalid', 401));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase).toBe('taken');
    expect(service.resume).not.toHaveBeenCalled();
  });

  test('a tab that hears of it at once leaves, and can take it back with the newest token', async () => {
    const { session, service, lost, settle, memory, rooms } = await live();
    lost();
    expect(session.state.phase).toBe('taken');
    expect(rooms[0]?.live.leave).toHaveBeenCalled();
    memory.saveConversation({ id: 'c1', token: 'newest', at: Date.now() });
    session.goOn();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'newest', 'ticket', 'text');
  });

  test('a tab that lost it can also start anew, and leaves it to the other one', async () => {
    const { session, service, lost, settle, memory } = await live();
    lost();
    memory.saveConversation({ id: 'c1', token: 'newest', at: Date.now() });
    session.startOver();
    expect(session.state).toMatchObject({ phase: 'idle', messages: [] });
    expect(service.end).not.toHaveBeenCalled();
    expect(memory.conversation(Date.now())).toMatchObject({ token: 'newest' });
    session.say('Hello');
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
  });

  test('a conversation that the other tab has ended cannot be taken back, and that is said', async () => {
    const { session, service, lost, settle, memory, host } = await live();
    lost();
    memory.saveConversation(null);
    service.resume.mockRejectedValue(new ServiceProblem('conversation_token_invalid', 401));
    session.goOn();
    await settle();
    expect(session.state).toMatchObject({ phase: 'gone', refusal: 'conversation_token_invalid' });
    expect(host.emit).toHaveBeenCalledWith('error', { code: 'conversation_token_invalid' });
    session.say('Hello again');
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello again']);
  });

  test.each([
    ['conversation_resumed_elsewhere', 409],
    ['conversation_token_invalid', 401],
  ])('two tabs take it back at once: %s means the other one', async (code, status) => {
    const { session, service, lost, settle, memory } = await live();
    lost();
    service.resume.mockImplementation(async () => {
      memory.saveConversation({ id: 'c1', token: 'of the other tab', at: Date.now() });
      throw new ServiceProblem(code, status);
    });
    session.goOn();
    await settle();
    expect(session.state.phase).toBe('taken');
  });

  test('the end of one conversation does not forget that of another tab', async () => {
    const { session, memory } = await live();
    memory.saveConversation({ id: 'c2', token: 'of the other tab', at: Date.now() });
    await session.end();
    expect(memory.conversation(Date.now())).toMatchObject({ id: 'c2' });
  });

  test('what an abandoned room still brings is ignored', async () => {
    const { session, rooms, settle } = await live();
    session.goOn();
    await settle();
    const before = session.state;
    rooms[0]?.events.piece({
      segment: 'x',
      role: 'agent',
      text: 'ghost',
      starts: true,
      final: true,
    });
    rooms[0]?.events.agent('speaking');
    rooms[0]?.events.closed();
    await settle();
    expect(session.state).toBe(before);
  });

  test('a connection that comes back goes on in the same room', async () => {
    const { session, rooms, settle, service } = await live();
    rooms[0]?.events.reconnecting();
    expect(session.state.phase).toBe('reconnecting');
    session.say('still there?');
    rooms[0]?.events.reconnected();
    await settle();
    expect(session.state.phase).toBe('live');
    expect(rooms[0]?.live.send).toHaveBeenLastCalledWith('lk.chat', 'still there?');
    expect(service.resume).not.toHaveBeenCalled();
  });

  test('a connection that comes back without the agent is found out', async () => {
    const { session, rooms, settle } = await live();
    rooms[0]?.events.reconnecting();
    rooms[0]?.events.agent('absent');
    await vi.advanceTimersByTimeAsync(SILENCE * 2);
    expect(session.state.silent).toBe(false);
    rooms[0]?.events.reconnected();
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE);
    expect(session.state.silent).toBe(true);
  });

  test('ending is said to the service, and feedback asked for once', async () => {
    const { session, service, settle } = await live({
      post_conversation_feedback: { enabled: true, thank_you_text: '', form: null },
    });
    await session.end();
    await settle();
    expect(service.end).toHaveBeenCalledWith('c1', 'token1');
    expect(session.state).toMatchObject({ phase: 'ended', feedback: 'asked' });
    await session.giveFeedback({ rating: 5 });
    expect(session.state.feedback).toBe('given');
    session.startOver();
    expect(session.state).toMatchObject({ phase: 'idle', messages: [] });
  });
});

describe('an earlier conversation', () => {
  const saved = { id: 'c1', token: 'old', at: 0 };
  const returning = (changes: Partial<Config> = {}) => {
    const parts = setUp(changes);
    parts.memory.saveConversation({ ...saved, at: Date.now() });
    const messages = [
      { id: 'm1', role: 'visitor' as const, text: 'Hello', created_at: '2026-01-01T00:00:00Z' },
    ];
    parts.service.read.mockResolvedValue(conversation({ messages }));
    return parts;
  };

  test('is offered with its transcript, and gone on with in a fresh room', async () => {
    const { session, service, settle } = returning();
    await session.recall();
    expect(session.state).toMatchObject({ phase: 'offered', elsewhere: false });
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello']);
    session.goOn();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'old', 'ticket', 'text');
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello']);
  });

  test('typing goes on with it', async () => {
    const { session, service, settle } = returning();
    await session.recall();
    session.say('again');
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(service.start).not.toHaveBeenCalled();
  });

  test('is not gone on with before the consent that the owner has come to require', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, service, settle } = returning({ notice });
    await session.recall();
    session.say('again');
    session.goOn();
    await settle();
    expect(service.resume).not.toHaveBeenCalled();
    session.consent();
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(service.start).not.toHaveBeenCalled();
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello', 'again']);
  });

  test('is ended when the visitor starts anew', async () => {
    const { session, service, memory } = returning();
    await session.recall();
    session.startOver();
    expect(service.end).toHaveBeenCalledWith('c1', 'old');
    expect(memory.conversation(Date.now())).toBeNull();
    expect(session.state.phase).toBe('idle');
  });

  test('of another site cannot be gone on with here; a new one can be started', async () => {
    const { session, service, settle, memory } = returning();
    service.resume.mockRejectedValue(new ServiceProblem('origin_changed', 403));
    await session.recall();
    session.goOn();
    await settle();
    expect(session.state).toMatchObject({ phase: 'gone', refusal: 'origin_changed' });
    session.startOver();
    expect(service.end).not.toHaveBeenCalled();
    session.say('Hello');
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(memory.conversation(Date.now())).toMatchObject({ token: 'token1' });
  });

  test('that may go on only later is asked for again, not started anew', async () => {
    const { session, service, settle } = returning();
    service.resume.mockRejectedValueOnce(new ServiceProblem('rate_limited', 429));
    await session.recall();
    session.goOn();
    await settle();
    expect(session.state).toMatchObject({ phase: 'refused', refusal: 'rate_limited' });
    session.retryNow();
    await settle();
    expect(service.resume).toHaveBeenCalledTimes(2);
    expect(service.start).not.toHaveBeenCalled();
  });

  test('is left to the other tab that holds it, when the visitor starts anew', async () => {
    const { session, service, memory, tabs } = returning();
    tabs.ask.mockImplementation((_id, onHeld) => onHeld());
    await session.recall();
    session.startOver();
    expect(service.end).not.toHaveBeenCalled();
    expect(memory.conversation(Date.now())).toMatchObject({ token: 'old' });
    expect(session.state).toMatchObject({ phase: 'idle', elsewhere: false });
  });

  test('another tab that holds it is named', async () => {
    const { session, tabs } = returning();
    tabs.ask.mockImplementation((_id, onHeld) => onHeld());
    await session.recall();
    expect(session.state.elsewhere).toBe(true);
  });

  test('another tab that answers late is named all the same, while it matters', async () => {
    const { session, tabs, settle } = returning();
    await session.recall();
    expect(session.state.elsewhere).toBe(false);
    const [id, onHeld] = tabs.ask.mock.calls[0] ?? [];
    expect(id).toBe('c1');
    onHeld?.();
    expect(session.state.elsewhere).toBe(true);
    session.goOn();
    onHeld?.();
    expect(session.state.elsewhere).toBe(false);
    await settle();
  });

  test.each([
    ['over', async () => conversation({ status: 'completed' as const })],
    [
      'not ours',
      async () => {
        throw new ServiceProblem('conversation_token_invalid', 401);
      },
    ],
  ])('that is %s is forgotten', async (_, answer) => {
    const { session, service, memory } = returning();
    service.read.mockImplementation(answer);
    await session.recall();
    expect(session.state.phase).toBe('idle');
    expect(memory.conversation(Date.now())).toBeNull();
  });

  test('is kept for later when the service cannot be asked', async () => {
    const { session, service, memory } = returning();
    service.read.mockRejectedValue(new ServiceProblem('network'));
    await session.recall();
    expect(session.state.phase).toBe('idle');
    expect(memory.conversation(Date.now())).not.toBeNull();
  });
});

describe('voice', () => {
  test('asks for the microphone only on the tap, and starts as a call', async () => {
    const { session, service, rooms, openMicrophone, settle } = setUp();
    session.show(true);
    await settle();
    expect(openMicrophone).not.toHaveBeenCalled();
    session.startVoice();
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({ mode: 'voice' });
    expect(rooms[0]?.live.speak.mock.calls).toEqual([[expect.anything(), false]]);
    expect(rooms[0]?.live.hear).toHaveBeenCalledWith(true);
    expect(rooms[0]?.live.setMode).not.toHaveBeenCalled();
  });

  test('switches within the room, and back', async () => {
    const { session, rooms, settle, agentComes, track, service } = setUp();
    session.say('Hello');
    await settle();
    await agentComes();
    session.startVoice();
    await settle();
    expect(rooms[0]?.live.setMode).toHaveBeenLastCalledWith('voice');
    session.setMuted(true);
    expect(rooms[0]?.live.mute).toHaveBeenCalledWith(true);
    session.stopVoice();
    expect(rooms[0]?.live.setMode).toHaveBeenLastCalledWith('text');
    expect(rooms[0]?.live.hear).toHaveBeenLastCalledWith(false);
    expect(rooms[0]?.live.hush).toHaveBeenCalled();
    expect(track.stop).toHaveBeenCalled();
    expect(service.start).toHaveBeenCalledOnce();
    expect(rooms).toHaveLength(1);
  });

  test('a visitor who mutes while the room is made is muted in it, and in the next one', async () => {
    const { session, rooms, settle, host } = setUp();
    let give: (ticket: string) => void = () => {};
    host.ticket.mockReturnValueOnce(new Promise((resolve) => (give = resolve)));
    session.startVoice();
    await settle();
    session.setMuted(true);
    expect(rooms).toHaveLength(0);
    give('ticket');
    await settle();
    expect(rooms[0]?.live.speak).toHaveBeenCalledWith(expect.anything(), true);
    session.goOn();
    await settle();
    expect(session.state.muted).toBe(true);
    expect(rooms[1]?.live.speak).toHaveBeenCalledWith(expect.anything(), true);
  });

  test('a microphone that is refused is named, and text goes on', async () => {
    const { session, openMicrophone, settle, rooms, agentComes, host } = setUp();
    session.say('Hello');
    await settle();
    await agentComes();
    openMicrophone.mockResolvedValue('denied');
    session.startVoice();
    await settle();
    expect(session.state).toMatchObject({
      mode: 'text',
      microphoneProblem: 'denied',
      phase: 'live',
    });
    expect(host.emit).toHaveBeenCalledWith('error', { code: 'microphone_denied' });
    session.say('never mind');
    await settle();
    expect(rooms[0]?.live.send).toHaveBeenLastCalledWith('lk.chat', 'never mind');
  });

  test('a microphone that cannot be sent is named, unless it is the room that was left', async () => {
    const { session, rooms, settle } = setUp();
    const broken: ((reason: Error) => void)[] = [];
    session.say('Hello');
    await settle();
    rooms[0]?.live.speak.mockReturnValue(new Promise((_, reject) => broken.push(reject)));
    session.startVoice();
    await settle();
    session.goOn();
    await settle();
    broken[0]?.(new Error('the room was left'));
    await settle();
    expect(session.state).toMatchObject({ mode: 'voice', microphoneProblem: null });
    session.stopVoice();
    rooms[1]?.live.speak.mockRejectedValue(new Error('no'));
    session.startVoice();
    await settle();
    expect(session.state).toMatchObject({ mode: 'text', microphoneProblem: 'busy' });
  });

  test('a microphone that is unplugged is named, also in a later room', async () => {
    const { session, settle, track, rooms } = setUp();
    session.startVoice();
    await settle();
    session.goOn();
    await settle();
    expect(track.stop).not.toHaveBeenCalled();
    expect(rooms[1]?.live.speak).toHaveBeenCalledWith(track, false);
    track.dispatchEvent(new Event('ended'));
    expect(session.state).toMatchObject({ mode: 'text', microphoneProblem: 'missing' });
  });

  test('a call after the end is a new conversation, with its microphone', async () => {
    const { session, service, rooms, settle, track } = setUp();
    session.say('Hello');
    await settle();
    await session.end();
    session.startVoice();
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(rooms[1]?.live.speak).toHaveBeenCalledWith(track, false);
    expect(track.stop).not.toHaveBeenCalled();
  });

  test('ending stops the microphone', async () => {
    const { session, settle, track } = setUp();
    session.startVoice();
    await settle();
    await session.end();
    expect(track.stop).toHaveBeenCalled();
    expect(session.state.mode).toBe('text');
  });
});

describe('forms that the agent asks for', () => {
  const forms = [form('contact', [field({ id: 'name', type: 'text' })])];
  const live = async () => {
    const parts = setUp({ forms });
    parts.session.say('Hello');
    await parts.settle();
    await parts.agentComes();
    return parts;
  };

  test('go to the service first, then to the agent', async () => {
    const { session, service, rooms } = await live();
    const answer = rooms[0]?.events.form('contact', 60_000);
    expect(session.state.form?.definition.id).toBe('contact');
    await session.closeForm({ name: 'Ada' });
    expect(service.submitForm).toHaveBeenCalledWith('c1', 'token1', 'contact', { name: 'Ada' });
    expect(JSON.parse((await answer) ?? '')).toEqual({ submitted: true, values: { name: 'Ada' } });
  });

  test('may be put away', async () => {
    const { session, rooms, service } = await live();
    const answer = rooms[0]?.events.form('contact', 60_000);
    await session.closeForm(null);
    expect(JSON.parse((await answer) ?? '')).toEqual({ dismissed: true });
    expect(service.submitForm).not.toHaveBeenCalled();
  });

  test('are told as a text stream when the agent has stopped waiting', async () => {
    const { session, rooms } = await live();
    rooms[0]?.events.form('contact', 1_000);
    await vi.advanceTimersByTimeAsync(2_000);
    await session.closeForm({ name: 'Ada' });
    expect(rooms[0]?.live.send).toHaveBeenLastCalledWith(
      'web-widget.form',
      JSON.stringify({ form_id: 'contact', submitted: true, values: { name: 'Ada' } }),
    );
  });

  test('stay open when the service refuses the values', async () => {
    const { session, service, rooms } = await live();
    rooms[0]?.events.form('contact', 60_000);
    service.submitForm.mockRejectedValue(new ServiceProblem('form_invalid', 422));
    await expect(session.closeForm({ name: '' })).rejects.toMatchObject({ code: 'form_invalid' });
    expect(session.state.form).not.toBeNull();
  });

  test('are put away with the room, and the next room may ask anew', async () => {
    const { session, rooms, settle, agentComes } = await live();
    rooms[0]?.events.form('contact', 60_000);
    session.goOn();
    await settle();
    expect(session.state.form).toBeNull();
    await agentComes();
    rooms[1]?.events.form('contact', 60_000);
    expect(session.state.form).not.toBeNull();
  });

  test('that are unknown, or come while one is open, are refused', async () => {
    const { rooms } = await live();
    await expect(rooms[0]?.events.form('other', 60_000)).rejects.toThrow();
    rooms[0]?.events.form('contact', 60_000);
    await expect(rooms[0]?.events.form('contact', 60_000)).rejects.toThrow();
  });
});

test('turns are reported together, once each, and unread ones counted while closed', async () => {
  const { session, service, host, settle, agentComes, agentSays } = setUp();
  session.say('Hello');
  await settle();
  await agentComes();
  agentSays('Hi', 'a1');
  agentSays('Anything else?', 'a2');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(service.report).toHaveBeenCalledOnce();
  expect(service.report.mock.calls[0]).toMatchObject([
    'c1',
    'token1',
    [
      { role: 'visitor', text: 'Hello' },
      { role: 'agent', text: 'Hi' },
      { role: 'agent', text: 'Anything else?' },
    ],
  ]);
  expect(session.state.unread).toBe(2);
  session.show(true);
  expect(session.state.unread).toBe(0);
  expect(host.send).toHaveBeenLastCalledWith({ type: 'web-widget:unread', count: 0 });
});
