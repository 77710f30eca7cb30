/** The conversation against a fake service, room and clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationStart, Joining, VisitorConversation } from '../src/generated/api';
import { TOKEN_LIFETIME } from '../src/generated/limits';
import type { FailureCode } from '../src/shared/codes';
import type { Config } from '../src/window/config';
import {
  ANSWER_TIMEOUT,
  ARRIVAL_TIMEOUT,
  THINKING_TIMEOUT,
} from '../src/window/conversation/agent-watch';
import { JoinError, type JoinProblem } from '../src/window/conversation/join-problem';
import type { Room, RoomEvents } from '../src/window/conversation/room';
import {
  RoomTalk,
  SEND_RETRY_DELAY,
  VOICE_RETRY_DELAY,
} from '../src/window/conversation/room-talk';
import { Session } from '../src/window/conversation/session';
import { isSilent } from '../src/window/conversation/window-state';
import type { LoaderPort } from '../src/window/loader-port';
import type { MicrophoneProblem } from '../src/window/microphone';
import { newId } from '../src/window/new-id';
import { ServiceProblem } from '../src/window/service/problem';
import type { Service } from '../src/window/service/service';
import { createStorage, type WindowStorage } from '../src/window/storage';
import { config, field, form } from './fixtures';

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  // Of a line for the console, which the next test would get.
  await vi.dynamicImportSettled();
  vi.useRealTimers();
});

function conversation(changes: Partial<VisitorConversation> = {}): VisitorConversation {
  return {
    id: 'c1',
    status: 'in_progress',
    is_open: true,
    mode: 'text',
    created_at: '2026-01-01T00:00:00Z',
    messages: [],
    ...changes,
  };
}

/** A turn as the service has it. */
function turn(id: string, text: string, role: 'visitor' | 'agent' = 'visitor') {
  return { id, role, text, created_at: '2026-01-01T00:00:00Z' };
}

const RESUME = { ticket: 'ticket', mode: 'text', page_changed: false };

function throwBlocked(): never {
  throw new Error('blocked');
}

/** A session with fake dependencies that record their calls. */
function setUp(
  changes: Partial<Config> = {},
  storage?: WindowStorage,
  tabStorage = createStorage('w1', throwBlocked),
) {
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
    reserveVoice: vi.fn(async () => {}),
    end: vi.fn(async () => {}),
    report: vi.fn(async () => {}),
    submitForm: vi.fn(async () => {}),
    submitFeedback: vi.fn(async () => {}),
  } satisfies Service;
  const loader = {
    send: vi.fn(),
    emit: vi.fn(),
    requestTicket: vi.fn(async () => 'ticket'),
  } satisfies LoaderPort;
  const rooms: { events: RoomEvents; room: ReturnType<typeof createRoom>; token: string }[] = [];
  const createRoom = () =>
    ({
      sendText: vi.fn(async () => {}),
      setAgentMode: vi.fn(async () => true),
      playAgent: vi.fn(),
      startPublishing: vi.fn(async () => {}),
      setMuted: vi.fn(async () => {}),
      stopPublishing: vi.fn(async () => {}),
      levels: () => ({ visitor: 0, agent: 0 }),
      leave: vi.fn(async () => {}),
    }) satisfies Room;
  const joinRoom = vi.fn(
    async (_url: string, token: string, _forms: string[], events: RoomEvents) => {
      const room = createRoom();
      rooms.push({ events, room, token });
      return room as Room;
    },
  );
  const loadRoomModule = vi.fn(async () => ({ joinRoom, RoomTalk }));
  const isWebRtcAvailable = vi.fn(() => true);
  const track = Object.assign(new EventTarget(), { stop: vi.fn() });
  const openMicrophone = vi.fn(
    async (_id?: string) => track as unknown as MediaStreamTrack | MicrophoneProblem,
  );
  const tabs = {
    ask: vi.fn(async (_id: string, _onOpenElsewhere: () => void) => {}),
    claim: vi.fn(),
    release: vi.fn(),
  };
  let plugIn: () => void = () => {};
  const waitForMicrophone = () =>
    new Promise<void>((resolve) => {
      plugIn = resolve;
    });
  let claimElsewhere: (id: string) => void = () => {};
  const isMicrophoneGranted = vi.fn(async () => true);
  const usedStorage = storage ?? createStorage('w1', throwBlocked);
  let isTouched = true;
  const life = {
    id: newId(),
    begin: vi.fn(),
    end: vi.fn(),
    waitForEnd: vi.fn(async (_id: string) => {}),
  };
  const session = new Session({
    config: config(changes),
    service,
    loader,
    storage: usedStorage,
    tabStorage,
    life,
    createTabs: (onClaimedElsewhere) => {
      claimElsewhere = onClaimedElsewhere;
      return tabs;
    },
    loadRoomModule,
    openMicrophone,
    waitForMicrophone,
    isMicrophoneGranted,
    isWebRtcAvailable,
    isTouched: () => isTouched,
    now: () => Date.now(),
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  /** The agent arrives and reports that it listens. */
  const agentArrives = async () => {
    rooms.at(-1)?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(200);
  };
  const agentSays = (text: string, segment = 'a1') => {
    const events = rooms.at(-1)?.events;
    events?.piece({ segment, role: 'agent', text, starts: true, final: false });
    events?.piece({ segment, role: 'agent', text: '', starts: false, final: true });
  };
  const openElsewhere = () => claimElsewhere('c1');
  return {
    session,
    service,
    loader,
    rooms,
    joining,
    joinRoom,
    loadRoomModule,
    isWebRtcAvailable,
    openMicrophone,
    plugIn: () => plugIn(),
    isMicrophoneGranted,
    track,
    tabs,
    life,
    setTouched(value: boolean) {
      isTouched = value;
    },
    openElsewhere,
    settle,
    agentArrives,
    agentSays,
    storage: usedStorage,
  };
}

describe('starting', () => {
  test('nothing happens before the first message, then a ticket, a conversation, a room', async () => {
    const { session, service, loader, rooms, settle } = setUp();
    session.setOpen(true);
    await settle();
    expect(loader.requestTicket).not.toHaveBeenCalled();
    session.hostPage.set({ plan: 'gold' }, { url: 'https://shop.example/', title: 'Shop' });
    session.sendMessage(' Hello ');
    await settle();
    expect(service.start).toHaveBeenCalledWith('ticket', {
      mode: 'text',
      custom_metadata: {
        url: 'https://shop.example/',
        title: 'Shop',
        context: { plan: 'gold' },
        message_waiting: true,
      },
    });
    expect(rooms).toHaveLength(1);
    expect(session.state.phase.name).toBe('live');
    expect(session.state.messages.map((m) => [m.text, m.state])).toEqual([['Hello', 'waiting']]);
  });

  test('what was typed is sent when the agent is ready, in order and once', async () => {
    const { session, rooms, settle, agentArrives } = setUp();
    session.sendMessage('one');
    session.sendMessage('two');
    await settle();
    session.sendMessage('three');
    expect(rooms[0]?.room.sendText).not.toHaveBeenCalled();
    await agentArrives();
    expect(rooms[0]?.room.sendText.mock.calls).toEqual([
      ['lk.chat', 'one'],
      ['lk.chat', 'two'],
      ['lk.chat', 'three'],
    ]);
    expect(session.state.messages.every((m) => m.state === 'done')).toBe(true);
  });

  test('a greeting is not interrupted by what was typed before it', async () => {
    const { session, rooms, settle } = setUp();
    session.sendMessage('Hello');
    await settle();
    rooms[0]?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(20);
    rooms[0]?.events.agent('speaking');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rooms[0]?.room.sendText).not.toHaveBeenCalled();
    rooms[0]?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(200);
    expect(rooms[0]?.room.sendText).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('a worker that never reports its state gets the messages as well', async () => {
    const { session, rooms, settle } = setUp();
    session.sendMessage('Hello');
    await settle();
    rooms[0]?.events.agent('initializing');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(rooms[0]?.room.sendText).toHaveBeenCalledOnce();
  });

  test('too large a context is left out rather than the conversation', async () => {
    const { session, service, settle } = setUp();
    session.hostPage.set(
      { big: 'x'.repeat(5_000) },
      { url: 'https://shop.example/', title: 'Shop' },
    );
    session.start();
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({
      custom_metadata: { url: 'https://shop.example/', title: 'Shop' },
    });
  });

  test('opening starts it where the owner configured that, and the agent may greet', async () => {
    const { session, service, settle } = setUp({ start_conversation_on_toggle: true });
    session.setOpen(true);
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(service.start.mock.calls[0]?.[1]?.custom_metadata).not.toHaveProperty('message_waiting');
  });

  test('a question that was tapped waits for the greeting where opening starts', async () => {
    const { session, service, rooms, settle, agentSays } = setUp({
      start_conversation_on_toggle: true,
    });
    session.setOpen(true);
    session.sendMessage('Which beans?');
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(service.start.mock.calls[0]?.[1].custom_metadata).toMatchObject({
      message_waiting: true,
    });
    rooms[0]?.events.agent('speaking');
    agentSays('Hello!', 'greeting');
    expect(rooms[0]?.room.sendText).not.toHaveBeenCalled();
    rooms[0]?.events.agent('listening');
    await vi.advanceTimersByTimeAsync(200);
    expect(rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Which beans?']]);
    agentSays('Three.');
    expect(session.state.messages.map(({ text }) => text)).toEqual([
      'Which beans?',
      'Hello!',
      'Three.',
    ]);
  });

  test('consent comes first, and only once', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, service, settle, storage } = setUp({ notice });
    session.sendMessage('Hello');
    await settle();
    expect(service.start).not.toHaveBeenCalled();
    session.giveConsent();
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(setUp({ notice }, storage).session.state.hasConsented).toBe(true);
  });

  test('the form before it is filled in once, unless its fields change', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text', required: true })]);
    const { session, service, settle, storage } = setUp({ pre_conversation_form: hello });
    session.sendMessage('Hello');
    expect(session.state.form?.definition.id).toBe('hello');
    await session.closeForm({ name: 'Ada' });
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({ form: { name: 'Ada' } });
    expect(session.state.form).toBeNull();
    const second = setUp({ pre_conversation_form: hello }, storage);
    second.session.sendMessage('Hello');
    await second.settle();
    expect(second.service.start.mock.calls[0]?.[1]).toMatchObject({ form: { name: 'Ada' } });
    const changed = form('hello', [field({ id: 'name', type: 'email', required: true })]);
    const other = setUp({ pre_conversation_form: changed }, storage);
    other.session.sendMessage('Hello');
    expect(other.session.state.form?.values).toEqual({ name: 'Ada' });
  });

  test('a form before it that was canceled leaves the message to be sent again', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text', required: true })]);
    const { session, rooms, service, settle, agentArrives } = setUp({
      pre_conversation_form: hello,
    });
    session.sendMessage('Hello');
    session.closeForm(null);
    expect(session.state.form).toBeNull();
    expect(session.state.messages).toMatchObject([{ text: 'Hello', state: 'waiting' }]);
    session.sendAgain();
    expect(session.state.form?.definition.id).toBe('hello');
    session.closeForm({ name: 'Ada' });
    await settle();
    await agentArrives();
    expect(service.start).toHaveBeenCalledOnce();
    expect(rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
  });

  test('a form that the service refuses is shown again as it was filled in', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text' })]);
    const { session, service, settle } = setUp({ pre_conversation_form: hello });
    service.start.mockRejectedValueOnce(new ServiceProblem('form_invalid', 422));
    session.sendMessage('Hello');
    await session.closeForm({ name: 'Ada' });
    await settle();
    expect(session.state).toMatchObject({
      phase: { name: 'idle' },
      form: { values: { name: 'Ada' } },
    });
    await session.closeForm({ name: 'Ada L' });
    await settle();
    expect(session.state.phase.name).toBe('live');
    expect(service.start.mock.calls[1]?.[1]).toMatchObject({ form: { name: 'Ada L' } });
  });

  test('a form that the owner has removed is left out', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text' })]);
    const { session, service, settle } = setUp({ pre_conversation_form: hello });
    service.start.mockRejectedValueOnce(new ServiceProblem('form_not_expected', 422));
    session.sendMessage('Hello');
    session.closeForm({ name: 'Ada' });
    await settle();
    expect(session.state).toMatchObject({ phase: { name: 'live' }, form: null });
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(service.start.mock.calls[1]?.[1]).not.toHaveProperty('form');
  });

  test.each<FailureCode>(['form_invalid', 'form_not_expected'])(
    '%s without a form to show is a refusal, and not retried automatically',
    async (code) => {
      const { session, service } = setUp();
      // Of many more, all in one moment, the test would not end.
      for (let count = 0; count < 5; count += 1)
        service.start.mockRejectedValueOnce(new ServiceProblem(code, 422));
      session.sendMessage('Hello');
      await vi.advanceTimersByTimeAsync(60_000);
      expect(service.start).toHaveBeenCalledOnce();
      expect(session.state).toMatchObject({ phase: { name: 'refused', code } });
    },
  );

  test('an expired embed ticket is replaced', async () => {
    const { session, service, loader, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('ticket_expired', 401));
    session.sendMessage('Hello');
    await settle();
    session.retryNow();
    await settle();
    expect(loader.requestTicket).toHaveBeenCalledTimes(2);
    expect(session.state.phase.name).toBe('live');
  });

  test('voice by default waits for consent, and then asks for the microphone', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, openMicrophone, settle } = setUp({ notice, default_mode: 'voice' });
    session.setOpen(true);
    await settle();
    expect(openMicrophone).not.toHaveBeenCalled();
    session.giveConsent();
    await settle();
    expect(openMicrophone).toHaveBeenCalledOnce();
    expect(session.state).toMatchObject({ voice: { name: 'on' }, phase: { name: 'live' } });
  });
});

describe('refusals', () => {
  test.each<[FailureCode, number]>([
    ['widget_unavailable', 403],
    ['rate_limited', 429],
    ['livekit_not_configured', 503],
  ])('%s is shown, and not retried automatically', async (code, status) => {
    const { session, service, settle } = setUp();
    service.start.mockRejectedValue(new ServiceProblem(code, status));
    session.sendMessage('Hello');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toMatchObject({ phase: { name: 'refused', code: code } });
    expect(service.start).toHaveBeenCalledOnce();
    session.retryNow();
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
  });

  test('a service that is unavailable is retried, with a new embed ticket each time', async () => {
    const { session, service, loader, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('network'));
    service.start.mockRejectedValueOnce(new ServiceProblem('internal_error', 500));
    session.sendMessage('Hello');
    await settle();
    expect(session.state.phase.name).toBe('retrying');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(session.state.phase.name).toBe('live');
    expect(loader.requestTicket).toHaveBeenCalledTimes(3);
  });

  test('LiveKit that is unreachable is retried in the same room, and later in another one', async () => {
    const { session, service, joinRoom, settle } = setUp();
    joinRoom.mockRejectedValue(new Error('could not establish signal connection'));
    session.sendMessage('Hello');
    await settle();
    expect(session.state.phase.name).toBe('retrying');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(joinRoom.mock.calls.length).toBeGreaterThan(3);
    expect(service.resume).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.resume).toHaveBeenCalled();
    expect(service.start).toHaveBeenCalledOnce();
  });

  test('the visitor need not wait for the next attempt', async () => {
    const { session, service, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('network'));
    session.sendMessage('Hello');
    await settle();
    session.retryNow();
    await settle();
    expect(session.state.phase.name).toBe('live');
  });
});

describe('a room that cannot be joined', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  beforeEach(() => void warn.mockClear());

  test.each<[JoinProblem, number, string]>([
    ['signal_refused', 3, 'refused'],
    ['media_unreachable', 3, 'refused'],
    ['token_rejected', 4, 'live'],
    ['room_closed', 4, 'live'],
    ['livekit_unreachable', 4, 'live'],
    ['code_unavailable', 4, 'live'],
  ])('%s is tried %i times, and then %s', async (problem, attempts, phase) => {
    const { session, joinRoom, loader } = setUp();
    for (let index = 0; index < 3; index += 1)
      joinRoom.mockRejectedValueOnce(new JoinError(problem, 'as LiveKit says'));
    session.sendMessage('Hello');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(joinRoom).toHaveBeenCalledTimes(attempts);
    expect(session.state.phase.name).toBe(phase);
    expect(session.state.messages).toMatchObject([{ text: 'Hello', state: 'waiting' }]);
    expect(loader.emit.mock.calls.filter(([name]) => name === 'error')).toEqual([
      ['error', { code: problem }],
    ]);
    await vi.dynamicImportSettled();
    expect(warn.mock.calls.map(([line]) => line)).toEqual([
      expect.stringContaining(`${problem} (as LiveKit says)`),
    ]);
  });

  test('is tried again as a call where only voice is offered', async () => {
    const { session, service, joinRoom } = setUp({ modes: { text: false, voice: true } });
    for (let index = 0; index < 3; index += 1)
      joinRoom.mockRejectedValueOnce(new JoinError('media_unreachable', 'as LiveKit says'));
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toMatchObject({ phase: { name: 'refused' }, voice: { name: 'off' } });
    session.retryNow();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toMatchObject({ phase: { name: 'live' }, voice: { name: 'on' } });
    const bodies = [...service.start.mock.calls, ...service.resume.mock.calls].map(
      (call) => call.find((value) => (value as { mode?: string })?.mode) as { mode: string },
    );
    expect(bodies.filter(({ mode }) => mode !== 'voice')).toEqual([]);
  });

  test('failures of different kinds are counted apart', async () => {
    const { session, joinRoom } = setUp();
    for (const problem of ['signal_refused', 'signal_refused', 'media_unreachable'] as const)
      joinRoom.mockRejectedValueOnce(new JoinError(problem, ''));
    session.sendMessage('Hello');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state.phase.name).toBe('live');
  });

  test('removed before the media connect, it is refused as the service says', async () => {
    const { session, service, joinRoom } = setUp();
    joinRoom.mockRejectedValueOnce(new JoinError('room_closed', ''));
    service.read.mockResolvedValue(conversation({ status: 'failed', is_open: false }));
    service.resume.mockRejectedValue(new ServiceProblem('budget_used_up', 429));
    session.sendMessage('Hello');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(session.state.phase).toEqual({ name: 'refused', code: 'budget_used_up' });
    expect(joinRoom).toHaveBeenCalledOnce();
  });

  test('without WebRTC no conversation is created, and nothing is retried', async () => {
    const { session, service, loader, isWebRtcAvailable, openMicrophone, settle } = setUp();
    isWebRtcAvailable.mockReturnValue(false);
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toMatchObject({
      phase: { name: 'refused', code: 'webrtc_missing' },
      voice: { name: 'off' },
    });
    expect(openMicrophone).not.toHaveBeenCalled();
    expect(service.start).not.toHaveBeenCalled();
    expect(loader.emit).toHaveBeenCalledWith('error', { code: 'webrtc_missing' });
    await vi.dynamicImportSettled();
    expect(warn).toHaveBeenCalledOnce();
    isWebRtcAvailable.mockReturnValue(true);
    session.sendMessage('Hello');
    await settle();
    expect(session.state.phase.name).toBe('live');
  });

  test('a rejected token is replaced with another room', async () => {
    const { session, service, joinRoom } = setUp();
    joinRoom.mockRejectedValueOnce(new JoinError('token_rejected', ''));
    session.sendMessage('Hello');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(service.resume).toHaveBeenCalledOnce();
    expect(joinRoom.mock.calls.map(([, token]) => token)).toEqual(['participant1', 'participant2']);
  });
});

describe('an attempt that the visitor has left', () => {
  /** Holds back what a mocked call returns, until the test settles it. */
  function holdBack<T>(call: { mockReturnValueOnce(value: Promise<T>): unknown }) {
    let resolve: (value: T) => void = () => {};
    let reject: (reason: Error) => void = () => {};
    call.mockReturnValueOnce(
      new Promise((onValue, onError) => {
        resolve = onValue;
        reject = onError;
      }),
    );
    return { resolve: (value: T) => resolve(value), reject: (reason: Error) => reject(reason) };
  }

  const leave = async ({ session, settle }: ReturnType<typeof setUp>) => {
    session.sendMessage('Hello');
    await settle();
    session.startOver(true);
  };

  test('joins no room when the service answers', async () => {
    const parts = setUp();
    const answer = holdBack(parts.service.start);
    await leave(parts);
    answer.resolve(await parts.service.resume());
    await parts.settle();
    expect(parts.joinRoom).not.toHaveBeenCalled();
    expect(parts.session.state.phase).toEqual({ name: 'idle' });
    expect(parts.storage.conversation(Date.now())).toBeNull();
  });

  test('reports no refusal and retries nothing', async () => {
    const parts = setUp();
    const refusal = holdBack(parts.service.start);
    await leave(parts);
    refusal.reject(new ServiceProblem('network'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(parts.session.state.phase).toEqual({ name: 'idle' });
    expect(parts.service.start).toHaveBeenCalledOnce();
  });

  test('leaves the room that it joins afterwards', async () => {
    const parts = setUp();
    const room = { leave: vi.fn(async () => {}) };
    const joined = holdBack(parts.joinRoom);
    await leave(parts);
    joined.resolve(room as unknown as Room);
    await parts.settle();
    expect(room.leave).toHaveBeenCalledOnce();
    expect(parts.session.state.phase).toEqual({ name: 'idle' });
  });

  test('does not retry a room that it cannot join', async () => {
    const parts = setUp();
    const joined = holdBack(parts.joinRoom);
    await leave(parts);
    joined.reject(new Error('could not establish signal connection'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(parts.session.state.phase).toEqual({ name: 'idle' });
    expect(parts.joinRoom).toHaveBeenCalledOnce();
  });

  test('no longer waits for an answer', async () => {
    const { session, settle, agentArrives, agentSays } = setUp();
    session.sendMessage('Hello');
    await settle();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT / 2);
    session.continue();
    await settle();
    await agentArrives();
    agentSays('Hi');
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    expect(isSilent(session.state)).toBe(false);
  });
});

describe('an agent that is not there', () => {
  test('is late: that is shown after ten seconds, and the room is kept', async () => {
    const { session, rooms, settle, agentArrives } = setUp();
    session.sendMessage('Hello');
    await settle();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT - 1);
    expect(session.state.isAgentLate).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.state.isAgentLate).toBe(true);
    await vi.advanceTimersByTimeAsync(ARRIVAL_TIMEOUT - ANSWER_TIMEOUT - 1);
    expect(isSilent(session.state)).toBe(false);
    // It has just come, and is not given up for that.
    rooms[0]?.events.agent('initializing');
    expect(session.state.isAgentLate).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    expect(isSilent(session.state)).toBe(false);
    await agentArrives();
    expect(rooms).toHaveLength(1);
    expect(rooms[0]?.room.sendText).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('never arrives: that is shown after 30 s, and continuing requests another room', async () => {
    const { session, service, rooms, settle, agentArrives } = setUp();
    session.sendMessage('Hello');
    await settle();
    await vi.advanceTimersByTimeAsync(ARRIVAL_TIMEOUT - 1);
    expect(isSilent(session.state)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isSilent(session.state)).toBe(true);
    expect(session.state.isAgentLate).toBe(false);
    session.continue();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'token1', {
      ...RESUME,
      message_waiting: true,
    });
    expect(rooms[0]?.room.leave).toHaveBeenCalled();
    expect(session.state).toMatchObject({ phase: { name: 'live', isSilent: false } });
    await agentArrives();
    expect(rooms[1]?.room.sendText).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('does not answer: the first question is asked again, and shown once', async () => {
    const { session, service, rooms, joining, settle, agentArrives } = setUp();
    session.sendMessage('one');
    await settle();
    await agentArrives();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    expect(isSilent(session.state)).toBe(true);
    service.resume.mockResolvedValueOnce(joining({ messages: [turn('worker-1', 'one')] }));
    session.continue();
    await settle();
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'one']]);
    expect(session.state.messages.map(({ text }) => text)).toEqual(['one']);
  });

  test('stops answering: only the unanswered messages are sent again in the next room', async () => {
    const { session, rooms, settle, agentArrives, agentSays } = setUp();
    session.sendMessage('one');
    await settle();
    await agentArrives();
    agentSays('answer');
    session.sendMessage('two');
    await settle();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    expect(isSilent(session.state)).toBe(true);
    session.continue();
    await settle();
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'two']]);
    expect(session.state.messages.map((m) => m.text)).toEqual(['one', 'answer', 'two']);
  });

  test('is noticed as silent also when it was killed while speaking', async () => {
    const { session, rooms, settle, agentArrives, agentSays } = setUp();
    session.sendMessage('one');
    await settle();
    await agentArrives();
    agentSays('answer');
    rooms[0]?.events.agent('speaking');
    session.sendMessage('two');
    await settle();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT - 1);
    expect(isSilent(session.state)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isSilent(session.state)).toBe(true);
  });

  test('is noticed as silent also when it left right after its first words', async () => {
    const { session, rooms, settle, agentArrives } = setUp();
    session.sendMessage('Hello');
    await settle();
    rooms[0]?.events.agent('speaking');
    await vi.advanceTimersByTimeAsync(1_000);
    rooms[0]?.events.agent('absent');
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    expect(isSilent(session.state)).toBe(true);
    await agentArrives();
    expect(isSilent(session.state)).toBe(false);
    expect(rooms[0]?.room.sendText).toHaveBeenCalledWith('lk.chat', 'Hello');
  });

  test('is given more time while it thinks', async () => {
    const { session, rooms, settle, agentArrives } = setUp();
    session.sendMessage('Hello');
    await settle();
    await agentArrives();
    rooms[0]?.events.agent('thinking');
    await vi.advanceTimersByTimeAsync(THINKING_TIMEOUT - 1);
    expect(isSilent(session.state)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isSilent(session.state)).toBe(true);
  });

  test('is no longer shown as silent when it answers', async () => {
    const { session, settle, agentArrives, agentSays } = setUp();
    session.sendMessage('Hello');
    await settle();
    await agentArrives();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    agentSays('Sorry, here I am');
    expect(isSilent(session.state)).toBe(false);
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT * 2);
    expect(isSilent(session.state)).toBe(false);
  });
});

describe('a room that is gone', () => {
  const live = async (changes: Partial<Config> = {}) => {
    const parts = setUp(changes);
    parts.session.sendMessage('Hello');
    await parts.settle();
    await parts.agentArrives();
    parts.agentSays('Hi');
    return parts;
  };

  test('is replaced by another one when the conversation is still active', async () => {
    const { session, service, rooms, settle } = await live();
    rooms[0]?.events.closed();
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(session.state.phase.name).toBe('live');
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello', 'Hi']);
  });

  test('is the end when the conversation has ended', async () => {
    const { session, service, rooms, settle, loader, storage } = await live();
    service.read.mockResolvedValue(conversation({ status: 'completed', is_open: false }));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase.name).toBe('ended');
    expect(service.resume).not.toHaveBeenCalled();
    expect(storage.conversation(Date.now())).toBeNull();
    expect(loader.emit).toHaveBeenCalledWith('conversation-end', { conversation_id: 'c1' });
  });

  test('is refused when others have used up the day before the visitor joined', async () => {
    const { session, service, rooms, settle } = await live();
    service.read.mockResolvedValue(conversation({ status: 'failed', is_open: false }));
    service.resume.mockRejectedValue(new ServiceProblem('budget_used_up', 429));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase).toEqual({ name: 'refused', code: 'budget_used_up' });
    expect(service.resume).toHaveBeenCalledOnce();
  });

  test('is gone when the conversation was erased, and another one can be started', async () => {
    const { session, service, rooms, settle, storage } = await live();
    service.read.mockRejectedValue(new ServiceProblem('conversation_erased', 410));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state).toMatchObject({ phase: { name: 'gone', code: 'conversation_erased' } });
    expect(service.resume).not.toHaveBeenCalled();
    expect(storage.conversation(Date.now())).toBeNull();
    session.sendMessage('Hello again');
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
  });

  test('was left for another tab when the conversation token is no longer valid', async () => {
    const { session, service, rooms, settle } = await live();
    service.read.mockRejectedValue(new ServiceProblem('conversation_token_invalid', 401));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase.name).toBe('continued-elsewhere');
    expect(service.resume).not.toHaveBeenCalled();
  });

  test('is gone when the conversation token is too old', async () => {
    const { session, service, rooms, settle } = await live();
    vi.setSystemTime(Date.now() + TOKEN_LIFETIME + 1);
    const code = 'conversation_token_invalid';
    service.read.mockRejectedValue(new ServiceProblem(code, 401));
    rooms[0]?.events.closed();
    await settle();
    expect(session.state.phase).toEqual({ name: 'gone', code });
  });

  test('a tab that learns of it leaves, and can continue with the newest token', async () => {
    const { session, service, openElsewhere, settle, storage, rooms } = await live();
    openElsewhere();
    expect(session.state.phase.name).toBe('continued-elsewhere');
    expect(rooms[0]?.room.leave).toHaveBeenCalled();
    storage.saveConversation({ id: 'c1', token: 'newest', at: Date.now() });
    session.continue();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'newest', RESUME);
  });

  test('a tab that lost it can also start over, and leaves it to the other tab', async () => {
    const { session, service, openElsewhere, settle, storage } = await live();
    openElsewhere();
    storage.saveConversation({ id: 'c1', token: 'newest', at: Date.now() });
    session.startOver();
    expect(session.state).toMatchObject({ phase: { name: 'idle' }, messages: [] });
    expect(service.end).not.toHaveBeenCalled();
    expect(storage.conversation(Date.now())).toMatchObject({ token: 'newest' });
    session.sendMessage('Hello');
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
  });

  test('a conversation that the other tab has ended cannot be continued, and that is shown', async () => {
    const { session, service, openElsewhere, settle, storage, loader } = await live();
    openElsewhere();
    storage.saveConversation(null);
    service.resume.mockRejectedValue(new ServiceProblem('conversation_token_invalid', 401));
    session.continue();
    await settle();
    expect(session.state).toMatchObject({
      phase: { name: 'gone', code: 'conversation_token_invalid' },
    });
    expect(loader.emit).toHaveBeenCalledWith('error', { code: 'conversation_token_invalid' });
    session.sendMessage('Hello again');
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello again']);
  });

  test.each<[FailureCode, number]>([
    ['conversation_resumed_elsewhere', 409],
    ['conversation_token_invalid', 401],
  ])('two tabs continue at once: %s means the other one did', async (code, status) => {
    const { session, service, openElsewhere, settle, storage } = await live();
    openElsewhere();
    service.resume.mockImplementation(async () => {
      storage.saveConversation({ id: 'c1', token: 'of the other tab', at: Date.now() });
      throw new ServiceProblem(code, status);
    });
    session.continue();
    await settle();
    expect(session.state.phase.name).toBe('continued-elsewhere');
  });

  test('the end of one conversation does not delete that of another tab', async () => {
    const { session, storage } = await live();
    storage.saveConversation({ id: 'c2', token: 'of the other tab', at: Date.now() });
    await session.end();
    expect(storage.conversation(Date.now())).toMatchObject({ id: 'c2' });
  });

  test('events of a room that was left are ignored', async () => {
    const { session, rooms, settle } = await live();
    session.continue();
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

  test('a message that was being sent as the room was left is sent in the next one', async () => {
    const { session, rooms, settle, agentArrives } = await live();
    let finish: () => void = () => {};
    rooms[0]?.room.sendText.mockReturnValueOnce(new Promise((resolve) => (finish = resolve)));
    session.sendMessage('and on Sundays?');
    await settle();
    session.continue();
    await settle();
    finish();
    await settle();
    expect(session.state.messages.at(-1)).toMatchObject({ state: 'waiting' });
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'and on Sundays?']]);
  });

  test('in the middle of an answer is replaced by one that gets the question again', async () => {
    const { session, service, rooms, settle, agentArrives } = await live();
    session.sendMessage('and on Sundays?');
    await settle();
    const piece = { segment: 'a9', role: 'agent', text: 'On Sun', starts: true } as const;
    rooms[0]?.events.piece({ ...piece, final: false });
    rooms[0]?.events.closed();
    await settle();
    expect(service.resume.mock.calls.at(-1)?.at(-1)).toMatchObject({ message_waiting: true });
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'and on Sundays?']]);
    expect(session.state.messages.at(-1)).toMatchObject({
      text: 'and on Sundays?',
      state: 'done',
    });
  });

  test('a restored connection continues in the same room', async () => {
    const { session, rooms, settle, service } = await live();
    rooms[0]?.events.reconnecting();
    expect(session.state.phase.name).toBe('reconnecting');
    session.sendMessage('still there?');
    rooms[0]?.events.reconnected();
    await settle();
    expect(session.state.phase.name).toBe('live');
    expect(rooms[0]?.room.sendText).toHaveBeenLastCalledWith('lk.chat', 'still there?');
    expect(service.resume).not.toHaveBeenCalled();
  });

  test('a connection that is restored without the agent is noticed', async () => {
    const { session, rooms, settle } = await live();
    rooms[0]?.events.reconnecting();
    rooms[0]?.events.agent('absent');
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT * 2);
    expect(isSilent(session.state)).toBe(false);
    rooms[0]?.events.reconnected();
    await settle();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT);
    expect(isSilent(session.state)).toBe(true);
  });

  test('ending is sent to the service, and feedback asked for once', async () => {
    const { session, service, settle } = await live({
      post_conversation_feedback: { ...config().post_conversation_feedback, enabled: true },
    });
    await session.end();
    await settle();
    expect(service.end).toHaveBeenCalledWith('c1', 'token1');
    expect(session.state).toMatchObject({ phase: { name: 'ended', feedback: 'asked' } });
    await session.submitFeedback({ rating: 5 });
    expect(session.state.phase).toEqual({ name: 'ended', feedback: 'given' });
    session.startOver();
    expect(session.state).toMatchObject({ phase: { name: 'idle' }, messages: [] });
  });

  test('feedback that was begun is there when it is asked again', async () => {
    const { session, settle } = await live({
      post_conversation_feedback: { ...config().post_conversation_feedback, enabled: true },
    });
    await session.end();
    session.forms.saveDraft('feedback', { comment: 'It knew the' });
    session.startOver();
    session.sendMessage('One more thing');
    await settle();
    await session.end();
    expect(session.forms.drafts.get('feedback')).toEqual({ comment: 'It knew the' });
    session.skipFeedback();
    expect(session.forms.drafts.size).toBe(0);
  });

  /** The visitor ends a call while the agent says this. */
  async function hangUp(
    { session, rooms, settle }: ReturnType<typeof setUp>,
    segment: string,
    text: string,
  ) {
    await session.startCall();
    await settle();
    const said = { segment, role: 'agent', text, starts: true } as const;
    rooms[0]?.events.piece({ ...said, final: false });
    session.endCall();
    rooms[0]?.events.piece({ ...said, final: true });
  }

  test('what the agent says is an event once it is whole, also where the call ended', async () => {
    const parts = await live();
    const { agentSays, loader } = parts;
    const events = () =>
      loader.emit.mock.calls.flatMap(([name, { text, role }]) =>
        name === 'message' && role === 'agent' ? [text] : [],
      );
    const before = events().length;
    await hangUp(parts, 'b1', 'We are open');
    expect(events()).toHaveLength(before);
    agentSays('open until six.', 'b2');
    expect(events().slice(before)).toEqual(['We are open until six.']);
    await hangUp(parts, 'c1', 'Good');
    await parts.session.end();
    expect(events().slice(before), 'nothing more can follow').toEqual([
      'We are open until six.',
      'Good',
    ]);
  });

  test.each<[string, (session: Session) => void, string[]]>([
    ['writes', (session) => session.sendMessage('And tea?'), ['Good', 'And tea?']],
    ['starts over', (session) => session.startOver(true), ['Good']],
  ])('a cut-off answer is an event before the visitor %s', async (_, act, texts) => {
    const parts = await live();
    await hangUp(parts, 'c1', 'Good');
    parts.loader.emit.mockClear();
    act(parts.session);
    const messages = parts.loader.emit.mock.calls.filter(([name]) => name === 'message');
    expect(messages.map(([, { text }]) => text)).toEqual(texts);
  });

  test('the visitor starts over: the page learns that the conversation has ended', async () => {
    const { session, loader } = await live();
    session.startOver(true);
    expect(loader.emit).toHaveBeenLastCalledWith('conversation-end', { conversation_id: 'c1' });
  });

  test('feedback can be skipped', async () => {
    const { session, service } = await live({
      post_conversation_feedback: { ...config().post_conversation_feedback, enabled: true },
    });
    await session.end();
    session.skipFeedback();
    expect(session.state.phase).toEqual({ name: 'ended', feedback: 'none' });
    expect(service.submitFeedback).not.toHaveBeenCalled();
  });
});

describe('an earlier conversation', () => {
  const saved = { id: 'c1', token: 'old', at: 0 };
  const returning = (changes: Partial<Config> = {}) => {
    const parts = setUp(changes);
    parts.storage.saveConversation({ ...saved, at: Date.now() });
    const messages = [
      { id: 'm1', role: 'visitor' as const, text: 'Hello', created_at: '2026-01-01T00:00:00Z' },
    ];
    parts.service.read.mockResolvedValue(conversation({ messages }));
    return parts;
  };

  test('is offered with its transcript, and continued in another room', async () => {
    const { session, service, settle } = returning();
    await session.offerSaved();
    expect(session.state).toMatchObject({ phase: { name: 'offered', isOpenElsewhere: false } });
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello']);
    session.continue();
    await settle();
    expect(service.resume).toHaveBeenCalledWith('c1', 'old', { ...RESUME, message_waiting: true });
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello']);
  });

  test('of one question only shows it once when it continues', async () => {
    const { session, service, rooms, joining, settle, agentArrives } = returning();
    await session.offerSaved();
    service.resume.mockResolvedValueOnce(joining({ messages: [turn('m1', 'Hello')] }));
    session.continue();
    await settle();
    await agentArrives();
    expect(rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
    expect(session.state.messages.map(({ id }) => id)).toEqual(['m1']);
  });

  describe('that the service is slow to find', () => {
    const QUESTION = 'Which beans?';

    /** The visitor opens the window and taps a question meanwhile. */
    async function slow(changes: Partial<Config> = {}) {
      const parts = returning(changes);
      const found = await parts.service.read();
      let answer: (value: VisitorConversation) => void = () => {};
      let fail: (problem: Error) => void = () => {};
      parts.service.read.mockReturnValue(
        new Promise((resolve, reject) => {
          answer = resolve;
          fail = reject;
        }),
      );
      parts.session.offerSaved();
      parts.session.setOpen(true);
      parts.session.sendMessage(QUESTION);
      await parts.settle();
      return { ...parts, answer: () => answer(found), fail: (problem: Error) => fail(problem) };
    }

    test('leaves the window open, with what was tapped, and starts no other', async () => {
      const { session, service, openMicrophone, loadRoomModule } = await slow({
        start_conversation_on_toggle: true,
        default_mode: 'voice',
      });
      await vi.advanceTimersByTimeAsync(14_000);
      expect(session.state).toMatchObject({
        isOpen: true,
        phase: { name: 'starting' },
        messages: [{ text: QUESTION, state: 'waiting' }],
      });
      expect(loadRoomModule).toHaveBeenCalled();
      expect(openMicrophone).not.toHaveBeenCalled();
      expect(service.start).not.toHaveBeenCalled();
      expect(service.resume).not.toHaveBeenCalled();
    });

    test('continues with what was tapped once it is found', async () => {
      const { session, service, rooms, answer, settle, agentArrives } = await slow();
      answer();
      await settle();
      await agentArrives();
      expect(service.resume).toHaveBeenCalledOnce();
      expect(service.start).not.toHaveBeenCalled();
      expect(session.state.messages.map(({ text }) => text)).toEqual(['Hello', QUESTION]);
      expect(rooms[0]?.room.sendText).toHaveBeenLastCalledWith('lk.chat', QUESTION);
    });

    test('is replaced by another one when it is not found', async () => {
      const { service, rooms, fail, settle, agentArrives } = await slow();
      fail(new ServiceProblem('network'));
      await settle();
      await agentArrives();
      expect(service.start).toHaveBeenCalledOnce();
      expect(rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', QUESTION]]);
    });

    test('keeps what was typed before a consent', async () => {
      const notice = { text: null, privacy_url: null, consent_required: true };
      const { session, service, answer, settle } = await slow({ notice });
      answer();
      await settle();
      expect(service.resume).not.toHaveBeenCalled();
      expect(session.state).toMatchObject({
        phase: { name: 'offered' },
        messages: [
          { text: 'Hello', state: 'done' },
          { text: QUESTION, state: 'waiting' },
        ],
      });
    });

    test('is not taken from another tab for what was tapped', async () => {
      const { session, service, tabs, answer, settle } = await slow();
      tabs.ask.mock.calls[0]?.[1]();
      answer();
      await settle();
      expect(service.resume).not.toHaveBeenCalled();
      expect(session.state.phase).toEqual({ name: 'offered', isOpenElsewhere: true });
      expect(session.state.messages.at(-1)).toMatchObject({ text: QUESTION, state: 'waiting' });
    });
  });

  describe('that another tab turns out to have, ends a call', () => {
    test('that was begun before', async () => {
      const { session, service, tabs, track, settle } = returning();
      let answer: () => void = () => {};
      const found = await service.read();
      service.read.mockReturnValue(new Promise((resolve) => (answer = () => resolve(found))));
      session.offerSaved();
      await session.startCall();
      expect(session.state.voice.name).toBe('on');
      tabs.ask.mock.calls[0]?.[1]();
      answer();
      await settle();
      expect(session.state).toMatchObject({
        phase: { name: 'offered', isOpenElsewhere: true },
        voice: { name: 'off', problem: null },
      });
      expect(track.stop).toHaveBeenCalled();
      expect(service.resume).not.toHaveBeenCalled();
    });

    test('for which the visitor is asked for the microphone', async () => {
      const { session, service, tabs, track, openMicrophone, settle } = returning();
      await session.offerSaved();
      let give: () => void = () => {};
      openMicrophone.mockReturnValueOnce(
        new Promise((resolve) => (give = () => resolve(track as unknown as MediaStreamTrack))),
      );
      session.startCall();
      tabs.ask.mock.calls[0]?.[1]();
      give();
      await settle();
      expect(session.state).toMatchObject({
        phase: { name: 'offered', isOpenElsewhere: true },
        voice: { name: 'off', problem: null },
      });
      expect(track.stop).toHaveBeenCalled();
      expect(service.resume).not.toHaveBeenCalled();
    });
  });

  test('typing continues it', async () => {
    const { session, service, settle } = returning();
    await session.offerSaved();
    session.sendMessage('again');
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(service.start).not.toHaveBeenCalled();
  });

  test('is not continued before a consent that the owner requires now', async () => {
    const notice = { text: null, privacy_url: null, consent_required: true };
    const { session, service, settle } = returning({ notice });
    await session.offerSaved();
    session.sendMessage('again');
    session.continue();
    await settle();
    expect(service.resume).not.toHaveBeenCalled();
    session.giveConsent();
    await settle();
    expect(service.resume).toHaveBeenCalledOnce();
    expect(service.start).not.toHaveBeenCalled();
    expect(session.state.messages.map((m) => m.text)).toEqual(['Hello', 'again']);
  });

  describe('that another tab has', () => {
    async function elsewhere() {
      const parts = returning();
      parts.tabs.ask.mockImplementation(async (_id, onOpenElsewhere) => void onOpenElsewhere());
      await parts.session.offerSaved();
      parts.session.sendMessage('And tea?');
      await parts.settle();
      return parts;
    }

    test('is not taken from it without a question, whatever the visitor does first', async () => {
      const { session, service, openMicrophone, settle } = await elsewhere();
      session.startCall();
      session.sendAgain();
      session.giveConsent();
      await settle();
      expect(service.resume).not.toHaveBeenCalled();
      expect(openMicrophone).not.toHaveBeenCalled();
      expect(session.state.phase).toEqual({ name: 'offered', isOpenElsewhere: true });
      expect(session.state.messages.at(-1)).toMatchObject({ text: 'And tea?', state: 'waiting' });
    });

    test('continues here with what was typed, when the visitor agrees', async () => {
      const { session, service, rooms, settle, agentArrives } = await elsewhere();
      session.continue();
      await settle();
      await agentArrives();
      expect(service.resume).toHaveBeenCalledOnce();
      expect(rooms[0]?.room.sendText).toHaveBeenLastCalledWith('lk.chat', 'And tea?');
    });

    test('stays there when the visitor starts over, and what was typed is asked here', async () => {
      const { session, service, rooms, settle, agentArrives } = await elsewhere();
      session.startOver();
      await settle();
      await agentArrives();
      expect(service.end).not.toHaveBeenCalled();
      expect(service.start).toHaveBeenCalledOnce();
      expect(rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'And tea?']]);
    });
  });

  test('is ended when the visitor starts over', async () => {
    const { session, service, storage, settle } = returning();
    await session.offerSaved();
    session.startOver();
    await settle();
    expect(service.end).toHaveBeenCalledWith('c1', 'old');
    expect(storage.conversation(Date.now())).toBeNull();
    expect(session.state.phase.name).toBe('idle');
  });

  test('of another site cannot be continued here; a new one can be started', async () => {
    const { session, service, settle, storage } = returning();
    service.resume.mockRejectedValue(new ServiceProblem('origin_changed', 403));
    await session.offerSaved();
    session.continue();
    await settle();
    expect(session.state).toMatchObject({ phase: { name: 'gone', code: 'origin_changed' } });
    session.startOver();
    expect(service.end).not.toHaveBeenCalled();
    session.sendMessage('Hello');
    await settle();
    expect(service.start).toHaveBeenCalledOnce();
    expect(storage.conversation(Date.now())).toMatchObject({ token: 'token1' });
  });

  test('that can be continued only later is resumed again, not started over', async () => {
    const { session, service, settle } = returning();
    service.resume.mockRejectedValueOnce(new ServiceProblem('rate_limited', 429));
    await session.offerSaved();
    session.continue();
    await settle();
    expect(session.state).toMatchObject({ phase: { name: 'refused', code: 'rate_limited' } });
    session.retryNow();
    await settle();
    expect(service.resume).toHaveBeenCalledTimes(2);
    expect(service.start).not.toHaveBeenCalled();
  });

  test('is left to the other tab that has it, when the visitor starts over', async () => {
    const { session, service, storage, tabs } = returning();
    tabs.ask.mockImplementation(async (_id, onOpenElsewhere) => void onOpenElsewhere());
    await session.offerSaved();
    session.startOver();
    expect(service.end).not.toHaveBeenCalled();
    expect(storage.conversation(Date.now())).toMatchObject({ token: 'old' });
    expect(session.state).toMatchObject({ phase: { name: 'idle' } });
  });

  test('another tab that has it is shown', async () => {
    const { session, tabs } = returning();
    tabs.ask.mockImplementation(async (_id, onOpenElsewhere) => void onOpenElsewhere());
    await session.offerSaved();
    expect(session.state.phase).toEqual({ name: 'offered', isOpenElsewhere: true });
  });

  test('another tab that answers late is shown as well, while it matters', async () => {
    const { session, tabs, settle } = returning();
    await session.offerSaved();
    expect(session.state.phase).toEqual({ name: 'offered', isOpenElsewhere: false });
    const [id, onOpenElsewhere] = tabs.ask.mock.calls[0] ?? [];
    expect(id).toBe('c1');
    onOpenElsewhere?.();
    expect(session.state.phase).toEqual({ name: 'offered', isOpenElsewhere: true });
    session.continue();
    onOpenElsewhere?.();
    expect(session.state.phase).toEqual({ name: 'starting' });
    await settle();
  });

  test.each([
    ['over', async () => conversation({ status: 'completed', is_open: false })],
    [
      'not ours',
      async () => {
        throw new ServiceProblem('conversation_token_invalid', 401);
      },
    ],
  ])('that is %s is deleted', async (_, answer) => {
    const { session, service, storage } = returning();
    service.read.mockImplementation(answer);
    await session.offerSaved();
    expect(session.state.phase.name).toBe('idle');
    expect(storage.conversation(Date.now())).toBeNull();
  });

  test('is kept for later when the service is unreachable', async () => {
    const { session, service, storage } = returning();
    service.read.mockRejectedValue(new ServiceProblem('network'));
    await session.offerSaved();
    expect(session.state.phase.name).toBe('idle');
    expect(storage.conversation(Date.now())).not.toBeNull();
  });
});

describe('voice', () => {
  test('asks for the microphone only on the tap, and starts as a call', async () => {
    const { session, service, rooms, openMicrophone, settle } = setUp();
    session.setOpen(true);
    await settle();
    expect(openMicrophone).not.toHaveBeenCalled();
    session.startCall();
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({ mode: 'voice' });
    expect(rooms[0]?.room.startPublishing.mock.calls).toEqual([[expect.anything(), false]]);
    expect(rooms[0]?.room.playAgent).toHaveBeenCalledWith(true);
    expect(rooms[0]?.room.setAgentMode).not.toHaveBeenCalled();
  });

  test('asks the service before the visitor speaks in a conversation in writing', async () => {
    const { session, service, rooms, settle, agentArrives } = setUp();
    session.sendMessage('Hello');
    await settle();
    await agentArrives();
    let allow = () => {};
    service.reserveVoice.mockReturnValueOnce(
      new Promise((resolve) => {
        allow = resolve;
      }),
    );
    session.startCall();
    await settle();
    const { startPublishing, setAgentMode } = rooms[0]?.room ?? {};
    expect(service.reserveVoice).toHaveBeenCalledWith('c1', 'token1');
    expect(startPublishing).not.toHaveBeenCalled();
    expect(setAgentMode).not.toHaveBeenCalled();
    session.setMuted(true);
    allow();
    await settle();
    expect(startPublishing).toHaveBeenCalledWith(expect.anything(), true);
    // The next call needs minutes of its own.
    session.endCall();
    session.startCall();
    await settle();
    expect(service.reserveVoice).toHaveBeenCalledTimes(2);
    expect(startPublishing).toHaveBeenCalledTimes(2);
  });

  test('a call that was ended before the service answered is not published', async () => {
    const { session, service, rooms, settle } = setUp();
    session.sendMessage('Hello');
    await settle();
    let allow = () => {};
    service.reserveVoice.mockReturnValueOnce(
      new Promise((resolve) => {
        allow = resolve;
      }),
    );
    session.startCall();
    await settle();
    session.endCall();
    allow();
    await settle();
    expect(rooms[0]?.room.startPublishing).not.toHaveBeenCalled();
  });

  test('a call that may not begin leaves the conversation in writing', async () => {
    const { session, service, rooms, loader, settle, track } = setUp();
    session.sendMessage('Hello');
    await settle();
    service.reserveVoice.mockRejectedValue(new ServiceProblem('voice_budget_used_up', 429));
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.reserveVoice).toHaveBeenCalledOnce();
    expect(rooms[0]?.room.startPublishing).not.toHaveBeenCalled();
    expect(rooms[0]?.room.playAgent).toHaveBeenLastCalledWith(false);
    expect(track.stop).toHaveBeenCalledOnce();
    expect(loader.emit).toHaveBeenCalledWith('error', { code: 'voice_budget_used_up' });
    expect(session.state).toMatchObject({
      phase: { name: 'live' },
      voice: { name: 'off', problem: 'used_up' },
    });
  });

  describe('a call while the service does not answer', () => {
    /** The visitor talks, and the service is asked whether they may. */
    async function talk() {
      const parts = setUp();
      parts.session.sendMessage('Hello');
      await parts.settle();
      parts.service.reserveVoice.mockRejectedValueOnce(new ServiceProblem('network'));
      parts.session.startCall();
      await parts.settle();
      expect(parts.session.state.voice.name).toBe('on');
      return parts;
    }

    test('begins when the service is back', async () => {
      const { session, service, rooms } = await talk();
      await vi.advanceTimersByTimeAsync(VOICE_RETRY_DELAY);
      expect(service.reserveVoice).toHaveBeenCalledTimes(2);
      expect(rooms[0]?.room.startPublishing).toHaveBeenCalledOnce();
      expect(session.state.voice).toEqual({ name: 'on', isMuted: false });
    });

    test('ends after another failure, which is not blamed on the microphone', async () => {
      const { session, service, loader, track } = await talk();
      service.reserveVoice.mockRejectedValue(new ServiceProblem('internal_error', 500));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(service.reserveVoice).toHaveBeenCalledTimes(2);
      expect(track.stop).toHaveBeenCalledOnce();
      expect(session.state.voice).toEqual({ name: 'off', problem: 'failed' });
      expect(loader.emit).toHaveBeenCalledWith('error', { code: 'internal_error' });
    });

    test('is not tried again once the visitor has ended it', async () => {
      const { session, service } = await talk();
      session.endCall();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(service.reserveVoice).toHaveBeenCalledOnce();
      expect(session.state.voice).toEqual({ name: 'off', problem: null });
    });
  });

  test('a start or a resume as a call that is refused is repeated in writing, once', async () => {
    const { session, service, rooms, settle, track } = setUp();
    const usedUp = new ServiceProblem('voice_budget_used_up', 429);
    service.start.mockRejectedValueOnce(usedUp);
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    const modes = service.start.mock.calls.map(([, body]) => body.mode);
    expect(modes).toEqual(['voice', 'text']);
    expect(track.stop).toHaveBeenCalledOnce();
    expect(session.state).toMatchObject({
      phase: { name: 'live' },
      voice: { name: 'off', problem: 'used_up' },
    });

    // The minutes end during a call: the service closes the room, and refuses another call.
    session.startCall();
    await settle();
    expect(rooms[0]?.room.startPublishing).toHaveBeenCalledOnce();
    service.resume.mockRejectedValueOnce(usedUp);
    rooms[0]?.events.closed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.resume.mock.calls.map((call) => (call as unknown[])[2])).toEqual([
      { ...RESUME, mode: 'voice' },
      RESUME,
    ]);
    expect(session.state).toMatchObject({
      phase: { name: 'live' },
      voice: { name: 'off', problem: 'used_up' },
    });
  });

  test('where only voice is offered, a refused call is not repeated', async () => {
    const { session, service, track } = setUp({ modes: { text: false, voice: true } });
    service.start.mockRejectedValue(new ServiceProblem('voice_budget_used_up', 429));
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.start).toHaveBeenCalledOnce();
    expect(track.stop).toHaveBeenCalledOnce();
    expect(session.state).toMatchObject({
      phase: { name: 'refused', code: 'voice_budget_used_up' },
      voice: { name: 'off' },
    });
  });

  test.each<[string, Config['modes'], string[]]>([
    ['in writing, and the call after a tap', { text: true, voice: true }, ['voice', 'text']],
    ['as a call where only voice is offered', { text: false, voice: true }, ['voice', 'voice']],
  ])('a refused start pauses the call, and is retried %s', async (_, modes, expected) => {
    const { session, service, rooms, settle, track } = setUp({ modes });
    service.start.mockRejectedValueOnce(new ServiceProblem('widget_busy', 429));
    session.startCall();
    await settle();
    expect(session.state).toMatchObject({
      phase: { name: 'refused', code: 'widget_busy' },
      voice: { name: 'paused', isMuted: false },
    });
    expect(track.stop).toHaveBeenCalledOnce();
    session.retryNow();
    await settle();
    expect(service.start.mock.calls.map(([, body]) => body.mode)).toEqual(expected);
    await session.startCall();
    await settle();
    expect(session.state).toMatchObject({
      phase: { name: 'live' },
      voice: { name: 'on', isMuted: false },
    });
    expect(rooms[0]?.room.startPublishing).toHaveBeenCalledOnce();
  });

  test('a network that returns opens no microphone', async () => {
    const { session, service, openMicrophone, settle } = setUp({
      modes: { text: false, voice: true },
    });
    service.start.mockRejectedValueOnce(new ServiceProblem('widget_busy', 429));
    session.startCall();
    await settle();
    session.retryNow(false);
    await settle();
    expect(openMicrophone).toHaveBeenCalledOnce();
    expect(session.state.phase.name).toBe('refused');
  });

  test('a refused resume pauses the call, which is muted when it continues', async () => {
    const { session, service, rooms, settle, track } = setUp();
    session.startCall();
    await settle();
    session.setMuted(true);
    service.resume.mockRejectedValueOnce(new ServiceProblem('livekit_not_configured', 503));
    rooms[0]?.events.closed();
    await settle();
    expect(track.stop).toHaveBeenCalledOnce();
    await session.startCall();
    await settle();
    expect(session.state).toMatchObject({
      phase: { name: 'live' },
      voice: { name: 'on', isMuted: true },
    });
    expect(service.resume).toHaveBeenCalledTimes(2);
  });

  test('with the conversations of a day used up, the microphone is closed', async () => {
    const { session, service, track } = setUp();
    service.start.mockRejectedValue(new ServiceProblem('budget_used_up', 429));
    session.startCall();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.start).toHaveBeenCalledOnce();
    expect(track.stop).toHaveBeenCalledOnce();
    expect(session.state).toMatchObject({
      phase: { name: 'refused', code: 'budget_used_up' },
      voice: { name: 'off' },
    });
  });

  test('switches within the room, and back', async () => {
    const { session, rooms, settle, agentArrives, track, service } = setUp();
    session.sendMessage('Hello');
    await settle();
    await agentArrives();
    session.startCall();
    await settle();
    expect(rooms[0]?.room.setAgentMode).toHaveBeenLastCalledWith('voice');
    session.setMuted(true);
    expect(rooms[0]?.room.setMuted).toHaveBeenCalledWith(true);
    session.endCall();
    expect(rooms[0]?.room.setAgentMode).toHaveBeenLastCalledWith('text');
    expect(rooms[0]?.room.playAgent).toHaveBeenLastCalledWith(false);
    expect(rooms[0]?.room.stopPublishing).toHaveBeenCalled();
    expect(track.stop).toHaveBeenCalled();
    expect(service.start).toHaveBeenCalledOnce();
    expect(rooms).toHaveLength(1);
  });

  test('a visitor who mutes while the room is made is muted in it, and in the next one', async () => {
    const { session, rooms, settle, loader } = setUp();
    let give: (ticket: string) => void = () => {};
    loader.requestTicket.mockReturnValueOnce(new Promise((resolve) => (give = resolve)));
    session.startCall();
    await settle();
    session.setMuted(true);
    expect(rooms).toHaveLength(0);
    give('ticket');
    await settle();
    expect(rooms[0]?.room.startPublishing).toHaveBeenCalledWith(expect.anything(), true);
    session.continue();
    await settle();
    expect(session.state.voice).toEqual({ name: 'on', isMuted: true });
    expect(rooms[1]?.room.startPublishing).toHaveBeenCalledWith(expect.anything(), true);
  });

  test('a microphone that is denied is explained, and text works', async () => {
    const { session, openMicrophone, settle, rooms, agentArrives, loader } = setUp();
    session.sendMessage('Hello');
    await settle();
    await agentArrives();
    openMicrophone.mockResolvedValue('denied');
    session.startCall();
    await settle();
    expect(session.state).toMatchObject({
      voice: { name: 'off', problem: 'denied' },
      phase: { name: 'live' },
    });
    expect(loader.emit).toHaveBeenCalledWith('error', { code: 'microphone_denied' });
    session.sendMessage('never mind');
    await settle();
    expect(rooms[0]?.room.sendText).toHaveBeenLastCalledWith('lk.chat', 'never mind');
  });

  test('a microphone that cannot be published is explained, unless the room was left', async () => {
    const { session, rooms, settle } = setUp();
    const broken: ((reason: Error) => void)[] = [];
    session.sendMessage('Hello');
    await settle();
    rooms[0]?.room.startPublishing.mockReturnValue(new Promise((_, reject) => broken.push(reject)));
    session.startCall();
    await settle();
    session.continue();
    await settle();
    broken[0]?.(new Error('the room was left'));
    await settle();
    expect(session.state.voice.name).toBe('on');
    session.endCall();
    rooms[1]?.room.startPublishing.mockRejectedValue(new Error('no'));
    session.startCall();
    await settle();
    expect(session.state.voice).toEqual({ name: 'off', problem: 'busy' });
  });

  test('a microphone that is unplugged is explained, also in a later room', async () => {
    const { session, settle, track, rooms, openMicrophone } = setUp();
    session.startCall();
    await settle();
    session.continue();
    await settle();
    expect(track.stop).not.toHaveBeenCalled();
    expect(rooms[1]?.room.startPublishing).toHaveBeenCalledWith(track, false);
    openMicrophone.mockResolvedValue('missing');
    track.dispatchEvent(new Event('ended'));
    await settle();
    expect(session.state.voice).toEqual({ name: 'off', problem: 'missing' });
  });

  test('the microphone of an earlier call does not end the next one', async () => {
    const { session, settle, track, openMicrophone } = setUp();
    session.startCall();
    await settle();
    session.endCall();
    const next = Object.assign(new EventTarget(), { stop: vi.fn() });
    openMicrophone.mockResolvedValueOnce(next as unknown as MediaStreamTrack);
    session.startCall();
    await settle();
    track.dispatchEvent(new Event('ended'));
    expect(session.state.voice).toEqual({ name: 'on', isMuted: false });
    expect(next.stop).not.toHaveBeenCalled();
  });

  test('a call after the end is a new conversation, with its microphone', async () => {
    const { session, service, rooms, settle, track } = setUp();
    session.sendMessage('Hello');
    await settle();
    await session.end();
    session.startCall();
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(rooms[1]?.room.startPublishing).toHaveBeenCalledWith(track, false);
    expect(track.stop).not.toHaveBeenCalled();
  });

  test.each(['denied', 'blocked'] as const)(
    'a microphone that is %s during a call is explained by that, and by nothing later',
    async (problem) => {
      const { session, settle, track, openMicrophone, plugIn, loader } = setUp();
      session.startCall();
      await settle();
      openMicrophone.mockResolvedValue(problem);
      track.dispatchEvent(new Event('ended'));
      await settle();
      // It is still there, but not for this page.
      plugIn();
      await settle();
      expect(session.state.voice).toEqual({ name: 'off', problem });
      expect(loader.emit).toHaveBeenCalledWith('error', { code: `microphone_${problem}` });
    },
  );

  test('ending stops the microphone', async () => {
    const { session, settle, track } = setUp();
    session.startCall();
    await settle();
    await session.end();
    expect(track.stop).toHaveBeenCalled();
    expect(session.state.voice).toEqual({ name: 'off', problem: null });
  });
});

describe('what was typed and not sent', () => {
  test('is still shown as such when the conversation ends, and starts another one', async () => {
    const { session, service, rooms, settle, agentArrives } = setUp();
    session.sendMessage('one');
    session.sendMessage('two');
    await settle();
    await session.end();
    expect(session.state.messages.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    session.sendAgain();
    await settle();
    await agentArrives();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([
      ['lk.chat', 'one'],
      ['lk.chat', 'two'],
    ]);
  });

  test('is sent again after a refusal when the visitor asks for it', async () => {
    const { session, service, settle } = setUp();
    service.start.mockRejectedValueOnce(new ServiceProblem('rate_limited', 429));
    session.sendMessage('Hello');
    await settle();
    expect(session.state.phase.name).toBe('refused');
    session.sendAgain();
    await settle();
    expect(session.state.phase.name).toBe('live');
  });
});

describe('what was typed and filled in, and not sent', () => {
  const forms = ['contact', 'order'].map((id) => form(id, [field({ id: 'name', type: 'text' })]));

  /** Two forms are filled in and one message is not sent, where the conversation ends. */
  async function ended() {
    const pages = twoPages({ forms });
    const { session, rooms, settle, agentArrives } = pages.before;
    session.start();
    await settle();
    await agentArrives();
    rooms[0]?.room.sendText.mockRejectedValue(new Error('no connection'));
    session.sendMessage('And tea?');
    await settle();
    rooms[0]?.events.form('contact', 60_000);
    session.openForm('order');
    for (const { id, definition } of session.state.requests)
      session.forms.saveDraft(id, { name: definition.id });
    await session.end();
    return pages;
  }

  const EVERYTHING = {
    messages: ['And tea?'],
    forms: [
      ['contact', { name: 'contact' }],
      ['order', { name: 'order' }],
    ],
  };
  /** What the visitor still has of it. */
  const kept = ({ state, forms }: Session) => ({
    messages: state.messages.map(({ text }) => text),
    forms: state.requests
      .filter(({ status }) => status === 'open')
      .map(({ id, definition }) => [definition.id, forms.drafts.get(id)])
      .sort(),
  });
  const retryForm = (session: Session, formId: string) => {
    const request = session.state.requests.find(({ definition }) => definition.id === formId);
    if (request) session.continueForm(request);
  };

  test.each<[string, (session: Session) => unknown]>([
    ['a new conversation', (session) => session.startOver()],
    ['the message', (session) => session.sendAgain()],
    ['the form of the agent', (session) => retryForm(session, 'contact')],
    ['the form of the visitor', (session) => retryForm(session, 'order')],
    ['a call', (session) => session.startCall()],
  ])('stays where the visitor then taps for %s', async (_, tap) => {
    const { before } = await ended();
    await tap(before.session);
    await before.settle();
    await before.agentArrives();
    const said = before.loader.emit.mock.calls.filter(([name]) => name === 'message');
    expect(said).toHaveLength(1);
    expect(before.service.start).toHaveBeenCalledTimes(2);
    expect(before.rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'And tea?']]);
    expect(kept(before.session)).toEqual(EVERYTHING);
  });

  test('stays on the next page, where the forms are opened one by one', async () => {
    const { arrive } = await ended();
    const next = arrive();
    await open(next);
    const { session } = next;
    retryForm(session, 'contact');
    await next.settle();
    await next.agentArrives();
    expect(next.rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'And tea?']]);
    expect(session.state.requests.at(-1)).toMatchObject({ status: 'open', isOwn: true });
    // By now, another conversation is under way, and continues.
    retryForm(session, 'order');
    await next.settle();
    expect(next.service.start).toHaveBeenCalledOnce();
    expect(next.service.end).not.toHaveBeenCalled();
    expect(kept(session)).toEqual(EVERYTHING);
  });

  test('stays when the visitor starts over because another tab has the conversation', async () => {
    const { session, rooms, openElsewhere, settle, agentArrives } = setUp();
    session.sendMessage('And tea?');
    await settle();
    openElsewhere();
    session.startOver();
    await settle();
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'And tea?']]);
  });

  test.each([
    ['under way', null],
    ['that the service refuses', 'widget_busy'],
  ] as const)(
    'is lost with a conversation %s when the visitor confirms that',
    async (_, refusal) => {
      const { session, service, settle } = setUp({ forms });
      if (refusal) service.start.mockRejectedValueOnce(new ServiceProblem(refusal, 429));
      session.sendMessage('And tea?');
      session.openForm('contact');
      await settle();
      session.startOver(true);
      await settle();
      expect(service.start).toHaveBeenCalledOnce();
      expect(session.state).toMatchObject({ phase: { name: 'idle' }, messages: [], requests: [] });
    },
  );
});

describe('forms during the conversation', () => {
  const forms = [form('contact', [field({ id: 'name', type: 'text' })])];
  const live = async () => {
    const parts = setUp({ forms });
    parts.session.sendMessage('Hello');
    await parts.settle();
    await parts.agentArrives();
    return parts;
  };
  const request = ({ session }: ReturnType<typeof setUp>, index = 0) => {
    const found = session.state.requests[index];
    if (!found) throw new Error('no form was requested');
    return found;
  };
  const late = (values: object) => [
    'web-widget.form',
    JSON.stringify({ form_id: 'contact', submitted: true, values }),
  ];

  test('stand below the turn at which the agent asked, and leave the input alone', async () => {
    const parts = await live();
    parts.agentSays('Please tell us');
    parts.rooms[0]?.events.form('contact', 60_000);
    parts.agentSays('Or just go on asking', 'a2');
    expect(parts.session.state.form).toBeNull();
    expect(request(parts)).toMatchObject({
      definition: { id: 'contact' },
      after: 'a1',
      status: 'open',
      isOwn: false,
    });
  });

  test('go to the service first, then to the agent', async () => {
    const parts = await live();
    const answer = parts.rooms[0]?.events.form('contact', 60_000);
    await parts.session.forms.send(request(parts).id, { name: 'Ada' });
    expect(parts.service.submitForm).toHaveBeenCalledWith('c1', 'token1', 'contact', {
      name: 'Ada',
    });
    expect(JSON.parse((await answer) ?? '')).toEqual({ submitted: true, values: { name: 'Ada' } });
    expect(request(parts).status).toBe('sent');
  });

  test('may be put off, and filled in later', async () => {
    const parts = await live();
    const { session, service, rooms } = parts;
    const answer = rooms[0]?.events.form('contact', 60_000);
    const { id } = request(parts);
    session.forms.saveDraft(id, { name: 'A' });
    session.forms.putOff(id);
    expect(JSON.parse((await answer) ?? '')).toEqual({ dismissed: true });
    expect(service.submitForm).not.toHaveBeenCalled();
    session.forms.reopen(id);
    expect(request(parts).status).toBe('open');
    expect(session.forms.drafts.get(id)).toEqual({ name: 'A' });
    await session.forms.send(id, { name: 'Ada' });
    expect(rooms[0]?.room.sendText).toHaveBeenLastCalledWith(...late({ name: 'Ada' }));
  });

  test('are sent as a text stream when the agent has stopped waiting', async () => {
    const parts = await live();
    parts.rooms[0]?.events.form('contact', 1_000);
    await vi.advanceTimersByTimeAsync(2_000);
    await parts.session.forms.send(request(parts).id, { name: 'Ada' });
    expect(parts.rooms[0]?.room.sendText).toHaveBeenLastCalledWith(...late({ name: 'Ada' }));
  });

  test('stay open when the service rejects the values', async () => {
    const parts = await live();
    parts.rooms[0]?.events.form('contact', 60_000);
    parts.service.submitForm.mockRejectedValue(new ServiceProblem('form_invalid', 422));
    await expect(parts.session.forms.send(request(parts).id, { name: '' })).rejects.toMatchObject({
      code: 'form_invalid',
    });
    expect(request(parts).status).toBe('open');
  });

  test('outlive their room: the agent of the next one gets the answer when it is there', async () => {
    const parts = await live();
    const { session, rooms, settle, agentArrives } = parts;
    rooms[0]?.events.form('contact', 60_000);
    session.continue();
    await settle();
    await session.forms.send(request(parts).id, { name: 'Ada' });
    expect(rooms[1]?.room.sendText).not.toHaveBeenCalled();
    await agentArrives();
    expect(rooms[1]?.room.sendText).toHaveBeenCalledWith(...late({ name: 'Ada' }));
  });

  test('that are requested again are one form, with what was filled in', async () => {
    const parts = await live();
    const { session, rooms } = parts;
    const first = rooms[0]?.events.form('contact', 60_000);
    const { id } = request(parts);
    session.forms.saveDraft(id, { name: 'A' });
    parts.agentSays('Please');
    const second = rooms[0]?.events.form('contact', 60_000);
    expect(session.state.requests.map((each) => each.id)).toEqual([id]);
    // The visitor may be typing in it, so it stays where it is.
    expect(request(parts).after).not.toBe('a1');
    await session.forms.send(id, { name: 'Ada' });
    const answer = { submitted: true, values: { name: 'Ada' } };
    expect(JSON.parse((await first) ?? '')).toEqual(answer);
    expect(JSON.parse((await second) ?? '')).toEqual(answer);
  });

  test('that are unknown are rejected', async () => {
    const { rooms, session } = await live();
    rooms[0]?.events.agent('thinking');
    await expect(rooms[0]?.events.form('other', 60_000)).rejects.toThrow();
    expect(session.state.requests).toEqual([]);
    await vi.advanceTimersByTimeAsync(THINKING_TIMEOUT);
    expect(isSilent(session.state), 'the agent is expected to react').toBe(true);
  });

  test('do not make an agent that waits for them look silent', async () => {
    const parts = await live();
    parts.rooms[0]?.events.agent('thinking');
    parts.rooms[0]?.events.form('contact', 600_000);
    await vi.advanceTimersByTimeAsync(THINKING_TIMEOUT * 2);
    expect(isSilent(parts.session.state)).toBe(false);
    await parts.session.forms.send(request(parts).id, { name: 'Ada' });
    await vi.advanceTimersByTimeAsync(THINKING_TIMEOUT);
    expect(isSilent(parts.session.state)).toBe(true);
  });

  test('that were sent while the start was refused are kept, and stored with the start', async () => {
    const parts = setUp({ forms });
    const { session, service, settle, rooms, agentArrives } = parts;
    service.start.mockRejectedValueOnce(new ServiceProblem('rate_limited', 429));
    session.openForm('contact');
    await settle();
    expect(session.state.phase.name).toBe('refused');
    expect(request(parts)).toMatchObject({ status: 'open', isOwn: true });
    // The attempt to send it is also one to start.
    await expect(session.forms.send(request(parts).id, { name: 'Ada' })).rejects.toThrow();
    expect(request(parts).status).toBe('open');
    await settle();
    expect(service.submitForm).toHaveBeenCalledWith('c1', 'token1', 'contact', { name: 'Ada' });
    expect(request(parts).status).toBe('sent');
    await agentArrives();
    expect(rooms[0]?.room.sendText).toHaveBeenCalledWith(...late({ name: 'Ada' }));
  });

  test('that the visitor is changing again are not sent automatically', async () => {
    const parts = setUp({ forms });
    const { session, service, loader, settle } = parts;
    let give: (ticket: string) => void = () => {};
    service.start.mockRejectedValueOnce(new ServiceProblem('rate_limited', 429));
    session.openForm('contact');
    await settle();
    loader.requestTicket.mockReturnValueOnce(new Promise((resolve) => (give = resolve)));
    const sending = session.forms.send(request(parts).id, { name: 'Ada' });
    await expect(sending).rejects.toThrow();
    session.forms.saveDraft(request(parts).id, { name: 'Ada L' });
    give('ticket');
    await settle();
    expect(session.state.phase.name).toBe('live');
    expect(service.submitForm).not.toHaveBeenCalled();
  });

  test('that were not sent when the conversation ends continue in another one', async () => {
    const parts = await live();
    const { session, service, rooms, settle } = parts;
    rooms[0]?.events.form('contact', 60_000);
    session.forms.saveDraft(request(parts).id, { name: 'Ada' });
    await session.end();
    expect(request(parts).status).toBe('unsent');
    session.continueForm(request(parts));
    await settle();
    expect(service.start).toHaveBeenCalledTimes(2);
    expect(request(parts)).toMatchObject({ status: 'open', definition: { id: 'contact' } });
    expect(session.forms.drafts.get(request(parts).id)).toEqual({ name: 'Ada' });
  });
});

test('turns that are not reported yet are when the page is left', async () => {
  const { session, service, settle, agentArrives, agentSays } = setUp();
  session.sendMessage('Hello');
  await settle();
  await agentArrives();
  agentSays('Hi');
  session.leavePage();
  expect(service.report).toHaveBeenCalledOnce();
  expect(service.report.mock.calls[0]).toMatchObject([
    'c1',
    'token1',
    [{ text: 'Hello' }, { text: 'Hi' }],
  ]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(service.report).toHaveBeenCalledOnce();
});

describe('the last turns before the end of a conversation', () => {
  const talk = async () => {
    const parts = setUp();
    parts.session.sendMessage('Hello');
    await parts.settle();
    await parts.agentArrives();
    parts.agentSays('Hi');
    return parts;
  };
  const reported = ({ service }: ReturnType<typeof setUp>) =>
    (service.report.mock.calls as unknown as [string, string, { text: string }[]][]).map(
      ([id, token, turns]) => [id, token, ...turns.map(({ text }) => text)],
    );

  test.each<[string, (session: Session) => void]>([
    ['ended', (session) => void session.end()],
    ['started over', (session) => session.startOver()],
  ])('are reported before it is %s', async (_, leave) => {
    const parts = await talk();
    leave(parts.session);
    await parts.settle();
    expect(reported(parts)).toEqual([['c1', 'token1', 'Hello', 'Hi']]);
    expect(parts.service.end).toHaveBeenCalledWith('c1', 'token1');
    const [report = 0] = parts.service.report.mock.invocationCallOrder;
    const [end = 0] = parts.service.end.mock.invocationCallOrder;
    expect(report).toBeLessThan(end);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(parts.service.report).toHaveBeenCalledOnce();
  });

  test('are reported although the service is slow, and it ends afterwards', async () => {
    const parts = await talk();
    let store: () => void = () => {};
    parts.service.report.mockReturnValueOnce(new Promise((resolve) => (store = resolve)));
    parts.session.end();
    await parts.settle();
    expect(parts.session.state.phase.name).toBe('ended');
    expect(parts.service.end).not.toHaveBeenCalled();
    store();
    await parts.settle();
    expect(parts.service.end).toHaveBeenCalledOnce();
  });

  test.each<[string, (session: Session) => void]>([
    ['ended', (session) => void session.end()],
    ['started over', (session) => session.startOver()],
  ])('are not waited for where the page is left once it is %s', async (_, leave) => {
    const { session, service, settle } = await talk();
    let store: () => void = () => {};
    service.report.mockReturnValueOnce(new Promise((resolve) => (store = resolve)));
    leave(session);
    await settle();
    session.leavePage();
    expect(service.end.mock.calls).toEqual([['c1', 'token1']]);
    store();
    await settle();
    session.leavePage();
    expect(service.end, 'once').toHaveBeenCalledOnce();
  });

  test('are not waited for once another conversation ends, too', async () => {
    const { session, service, joining, settle } = await talk();
    service.report.mockReturnValueOnce(new Promise(() => {}));
    session.startOver();
    service.start.mockResolvedValueOnce(joining({ id: 'c2' }));
    session.start();
    await settle();
    expect(service.end).not.toHaveBeenCalled();
    session.startOver();
    await settle();
    expect(service.end.mock.calls).toEqual([
      ['c1', 'token1'],
      ['c2', 'token2'],
    ]);
  });

  test('do not become turns of the next one, which begins at once', async () => {
    const parts = await talk();
    const { session, service, rooms, joining, settle, agentArrives } = parts;
    rooms[0]?.room.sendText.mockRejectedValue(new Error('no connection'));
    session.sendMessage('And tea?');
    await settle();
    const piece = { segment: 'a2', role: 'agent', text: 'We also', starts: true } as const;
    rooms[0]?.events.piece({ ...piece, final: false });
    service.start.mockResolvedValueOnce(joining({ id: 'c2' }));
    session.end();
    session.sendAgain();
    await settle();
    await agentArrives();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reported(parts)).toEqual([
      ['c1', 'token1', 'Hello', 'Hi', 'We also'],
      ['c2', 'token2', 'And tea?'],
    ]);
  });

  test('are not sent to a service that has ended it', async () => {
    const parts = await talk();
    parts.service.read.mockResolvedValue(conversation({ status: 'completed', is_open: false }));
    parts.rooms[0]?.events.closed();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(parts.session.state.phase.name).toBe('ended');
    expect(parts.service.report).not.toHaveBeenCalled();
  });

  test('are reported with the token of a resume meanwhile', async () => {
    const parts = await talk();
    parts.session.continue();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reported(parts)).toEqual([['c1', 'token2', 'Hello', 'Hi']]);
  });
});

test('turns are reported together, each once, and unread ones counted while closed', async () => {
  const { session, service, loader, settle, agentArrives, agentSays } = setUp();
  session.sendMessage('Hello');
  await settle();
  await agentArrives();
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
  session.setOpen(true);
  expect(session.state.unread).toBe(0);
  expect(loader.send).toHaveBeenLastCalledWith({
    type: 'web-widget:unread',
    count: 0,
    preview: '',
  });
});

/** A page, and what the visitor finds on the next one of the same tab. */
function twoPages(changes: Partial<Config> = {}) {
  const storage = createStorage('w1', throwBlocked);
  const tabStorage = createStorage('w1', throwBlocked);
  const before = setUp(changes, storage, tabStorage);
  before.session.nextPage.restoreLeftPage(false);
  const arrive = () => {
    before.session.nextPage.leave();
    return setUp(changes, storage, tabStorage);
  };
  return { before, arrive, tabStorage };
}

/** Does what the window does when it is drawn. */
async function open({ session, settle }: ReturnType<typeof setUp>) {
  if (!session.nextPage.restoreLeftPage(true)) await session.offerSaved();
  session.nextPage.resumeHere();
  session.setOpen(true, true);
  await settle();
}

describe('what was not sent on the page before', () => {
  const hello = form('hello', [field({ id: 'name', type: 'text', required: true })]);
  const contact = form('contact', [field({ id: 'name', type: 'text' })]);
  const UNSENT = [{ text: 'Hello', state: 'waiting' }];

  test.each<[string, (page: ReturnType<typeof setUp>) => void]>([
    ['started', ({ service }) => service.start.mockReturnValue(new Promise(() => {}))],
    [
      'tried again',
      ({ service }) => service.start.mockRejectedValue(new ServiceProblem('network')),
    ],
  ])('is sent at once where the conversation was being %s', async (_, prepare) => {
    const { before, arrive } = twoPages();
    prepare(before);
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    await open(next);
    expect(next.service.start).toHaveBeenCalledOnce();
    await next.agentArrives();
    expect(next.rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
    expect(next.session.state.messages).toMatchObject([{ text: 'Hello', state: 'done' }]);
  });

  test('continues the conversation that the page before had not found yet', async () => {
    const { before, arrive } = twoPages();
    before.storage.saveConversation({ id: 'c1', token: 'old', at: Date.now() });
    before.service.read.mockReturnValue(new Promise(() => {}));
    before.session.offerSaved();
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    next.service.read.mockResolvedValue(conversation({ messages: [turn('m0', 'Hi!', 'agent')] }));
    await open(next);
    expect(next.service.start).not.toHaveBeenCalled();
    expect(next.service.resume).toHaveBeenCalledOnce();
    expect(next.session.state.messages.map(({ text }) => text)).toEqual(['Hi!', 'Hello']);
  });

  test('waits for the visitor after a refusal', async () => {
    const { before, arrive } = twoPages();
    before.service.start.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    await open(next);
    expect(next.session.state).toMatchObject({ phase: { name: 'idle' }, messages: UNSENT });
    expect(next.service.start).not.toHaveBeenCalled();
    next.session.sendAgain();
    await next.settle();
    await next.agentArrives();
    expect(next.rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
  });

  test('stays below a conversation that can be continued only later', async () => {
    const { before, arrive } = twoPages();
    before.session.sendMessage('One');
    await before.settle();
    await before.agentArrives();
    before.agentSays('Two');
    before.service.resume.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.rooms[0]?.events.closed();
    await before.settle();
    before.session.sendMessage('Hello');
    await before.settle();
    expect(before.session.state.phase.name).toBe('refused');
    const next = arrive();
    const messages = [turn('m1', 'One'), turn('m2', 'Two', 'agent')];
    next.service.read.mockResolvedValue(conversation({ messages }));
    await open(next);
    expect(next.session.state).toMatchObject({
      phase: { name: 'offered' },
      messages: [{ text: 'One' }, { text: 'Two' }, ...UNSENT],
    });
  });

  test('is kept when the conversation cannot be continued here', async () => {
    const { before, arrive } = twoPages();
    before.session.sendMessage('One');
    await before.settle();
    await before.agentArrives();
    before.agentSays('Two');
    before.rooms[0]?.room.sendText.mockRejectedValue(new Error('no connection'));
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    next.storage.saveConversation(null);
    await open(next);
    expect(next.session.state).toMatchObject({ phase: { name: 'idle' }, messages: UNSENT });
  });

  test('is kept for a page that the visitor opens the window on much later', async () => {
    const { before, arrive } = twoPages({ forms: [contact] });
    before.session.sendMessage('One');
    await before.settle();
    await before.agentArrives();
    before.agentSays('Two');
    before.rooms[0]?.room.sendText.mockRejectedValue(new Error('no connection'));
    before.session.sendMessage('Hello');
    before.session.openForm('contact');
    const id = before.session.state.requests[0]?.id ?? '';
    before.session.forms.saveDraft(id, { name: 'Ada' });
    before.session.draft = 'And the';
    await before.settle();
    const next = arrive();
    vi.setSystemTime(Date.now() + 600_000);
    const messages = [turn('m1', 'One'), turn('m2', 'Two', 'agent')];
    next.service.read.mockResolvedValue(conversation({ messages }));
    expect(next.session.nextPage.restoreLeftPage(false)).toBe(false);
    await next.session.offerSaved();
    await next.session.nextPage.resumeHere();
    await next.settle();
    expect(next.service.resume).not.toHaveBeenCalled();
    expect(next.session.state).toMatchObject({
      phase: { name: 'offered' },
      draft: 'And the',
      messages: [{ text: 'One' }, { text: 'Two' }, ...UNSENT],
      requests: [{ id }],
    });
    expect(next.session.forms.drafts.get(id)).toEqual({ name: 'Ada' });
  });

  test('does not keep a tapped question from starting the call that the owner wants', async () => {
    const storage = createStorage('w1', throwBlocked);
    storage.saveConversation({ id: 'c1', token: 'old', at: Date.now() });
    const { session, service, settle } = setUp({ default_mode: 'voice' }, storage);
    service.read.mockResolvedValue(conversation({ status: 'completed', is_open: false }));
    const searched = session.offerSaved();
    session.setOpen(true);
    session.sendMessage('Are you open?');
    await searched;
    await settle();
    expect(session.state.voice.name).toBe('on');
    expect(service.start).toHaveBeenCalledOnce();
  });

  test('is not sent by opening the window, where that starts the conversation', async () => {
    const { before, arrive } = twoPages({ start_conversation_on_toggle: true });
    before.service.start.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    vi.setSystemTime(Date.now() + 600_000);
    next.session.nextPage.restoreLeftPage(false);
    await next.session.offerSaved();
    next.session.setOpen(true);
    await next.settle();
    expect(next.service.start).not.toHaveBeenCalled();
    expect(next.session.state.messages).toMatchObject(UNSENT);
  });

  test('is kept with the form before the conversation, as far as that was filled in', async () => {
    const { before, arrive } = twoPages({ pre_conversation_form: hello });
    before.session.sendMessage('Hello');
    before.session.forms.saveDraft('before', { name: 'A' });
    const next = arrive();
    await open(next);
    const { session, service, settle } = next;
    expect(session.state).toMatchObject({ form: { definition: { id: 'hello' } } });
    expect(session.state.messages).toMatchObject(UNSENT);
    expect(session.forms.drafts.get('before')).toEqual({ name: 'A' });
    session.closeForm({ name: 'Ada' });
    await settle();
    expect(service.start.mock.calls[0]?.[1]).toMatchObject({ form: { name: 'Ada' } });
    expect(session.forms.drafts.has('before')).toBe(false);
  });

  test('is kept with the answers of that form when the start was refused', async () => {
    const { before, arrive } = twoPages({
      pre_conversation_form: hello,
      pre_conversation_show_once: false,
    });
    before.service.start.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.session.sendMessage('Hello');
    before.session.forms.saveDraft('before', { name: 'Ada' });
    before.session.closeForm({ name: 'Ada' });
    await before.settle();
    expect(before.session.state.phase.name).toBe('refused');
    const next = arrive();
    await open(next);
    expect(next.session.state).toMatchObject({ form: null, messages: UNSENT });
    next.session.sendAgain();
    expect(next.session.state).toMatchObject({ form: { definition: { id: 'hello' } } });
    expect(next.session.forms.drafts.get('before')).toEqual({ name: 'Ada' });
  });

  test('may also be a form that the visitor opened', async () => {
    const { before, arrive } = twoPages({ forms: [contact] });
    before.service.start.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.session.openForm('contact');
    await before.settle();
    const id = before.session.state.requests[0]?.id ?? '';
    before.session.forms.saveDraft(id, { name: 'Ada' });
    const next = arrive();
    await open(next);
    expect(next.session.state.requests).toMatchObject([{ id, status: 'open', isOwn: true }]);
    expect(next.session.forms.drafts.get(id)).toEqual({ name: 'Ada' });
  });

  test('and was sent on the next one is not unsent on a page that the browser kept', async () => {
    const { before, arrive } = twoPages();
    before.service.start.mockRejectedValue(new ServiceProblem('rate_limited', 429));
    before.session.sendMessage('Hello');
    await before.settle();
    const next = arrive();
    await open(next);
    next.session.sendAgain();
    await next.settle();
    await next.agentArrives();
    await next.session.end();
    next.session.nextPage.leave();
    await open(before);
    expect(before.session.state.messages).toEqual([]);
  });

  test.each(['the visitor', 'the agent'])(
    'a form of %s that was sent on the next one is not unsent on a page that the browser kept',
    async (who) => {
      const { before, arrive } = twoPages({ forms: [contact] });
      before.session.start();
      await before.settle();
      await before.agentArrives();
      if (who === 'the visitor') before.session.openForm('contact');
      else before.rooms[0]?.events.form('contact', 60_000);
      const id = before.session.state.requests[0]?.id ?? '';
      before.session.forms.saveDraft(id, { name: 'Ada' });
      const next = arrive();
      await open(next);
      await next.session.forms.send(id, { name: 'Ada' });
      await next.session.end();
      next.session.nextPage.leave();
      await open(before);
      expect(before.session.state.requests).toEqual([]);
      expect([...before.session.forms.drafts]).toEqual([]);
    },
  );
});

describe('a message that the room rejects', () => {
  const rejecting = async () => {
    const parts = setUp();
    parts.session.start();
    await parts.settle();
    await parts.agentArrives();
    const [first] = parts.rooms;
    if (!first) throw new Error('no room');
    const { sendText } = first.room;
    sendText.mockRejectedValue(new Error('no data channel'));
    parts.session.sendMessage('Hello');
    await parts.settle();
    return { ...parts, sendText };
  };

  test('is sent again', async () => {
    const { session, sendText } = await rejecting();
    expect(session.state.messages).toMatchObject([{ state: 'waiting' }]);
    sendText.mockResolvedValue(undefined);
    await vi.advanceTimersByTimeAsync(SEND_RETRY_DELAY);
    expect(session.state.messages).toMatchObject([{ state: 'done' }]);
  });

  test('goes into another room, if the visitor asks for one', async () => {
    const { session, rooms, sendText, settle, agentArrives } = await rejecting();
    // Whatever else the agent does.
    rooms[0]?.events.agent('speaking');
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT - SEND_RETRY_DELAY);
    expect(isSilent(session.state)).toBe(false);
    await vi.advanceTimersByTimeAsync(SEND_RETRY_DELAY);
    expect(isSilent(session.state)).toBe(true);
    session.continue();
    const count = sendText.mock.calls.length;
    await settle();
    await agentArrives();
    expect(rooms[1]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
    await vi.advanceTimersByTimeAsync(SEND_RETRY_DELAY * 2);
    expect(sendText).toHaveBeenCalledTimes(count);
  });
});

describe('the next page of the same tab', () => {
  const contact = form('contact', [field({ id: 'name', type: 'text' })]);

  /** Leaves a page on which the visitor talked, and returns the session of the next one. */
  async function changePage(
    prepare?: (page: ReturnType<typeof setUp>) => void | Promise<void>,
    /** The browser has ended the page without a last moment. */
    isEnded = false,
  ) {
    const storage = createStorage('w1', throwBlocked);
    const tabStorage = createStorage('w1', throwBlocked);
    const before = setUp({ forms: [contact] }, storage, tabStorage);
    before.session.nextPage.restoreLeftPage(false);
    before.session.sendMessage('Hello');
    await before.settle();
    await before.agentArrives();
    before.agentSays('Hi!');
    await prepare?.(before);
    if (!isEnded) before.session.nextPage.leave();
    const next = setUp({ forms: [contact] }, storage, tabStorage);
    return { before, next, tabStorage };
  }

  test('continues with the transcript at once, the draft, and a resume that says why', async () => {
    const { before, next } = await changePage(({ session }) => {
      session.draft = 'And the';
      session.openForm('contact');
      session.forms.saveDraft(session.state.requests[0]?.id ?? '', { name: 'Ada' });
    });
    const { session, service, settle } = next;
    expect(session.nextPage.restoreLeftPage(true)).toBe(true);
    expect(session.state.messages).toEqual(before.session.state.messages);
    expect(session.draft).toBe('And the');
    const [request] = session.state.requests;
    expect(request?.definition).toBe(contact);
    expect(session.forms.drafts.get(request?.id ?? '')).toEqual({ name: 'Ada' });
    session.setOpen(true);
    await session.nextPage.resumeHere();
    await settle();
    expect(service.resume.mock.calls).toEqual([
      ['c1', 'token1', { ...RESUME, page_changed: true }],
    ]);
    expect(service.start).not.toHaveBeenCalled();
    expect(session.state.messages.map(({ text }) => text)).toEqual(['Hello', 'Hi!']);
    expect(service.report, 'the turns of the page before').not.toHaveBeenCalled();
  });

  test('asks again what was being answered', async () => {
    const { next } = await changePage(async ({ session, rooms, settle }) => {
      session.sendMessage('And on Sunday?');
      const piece = { segment: 'a2', role: 'agent', text: 'On Sun', starts: true } as const;
      rooms[0]?.events.piece({ ...piece, final: false });
      await settle();
    });
    next.session.nextPage.restoreLeftPage(true);
    await next.session.nextPage.resumeHere();
    await next.settle();
    await next.agentArrives();
    expect(next.rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'And on Sunday?']]);
    expect(next.session.state.messages.map(({ text }) => text)).toEqual([
      'Hello',
      'Hi!',
      'And on Sunday?',
    ]);
  });

  test.each([
    ['this window', (id: string) => [turn(id, 'Hello')]],
    ['the worker', () => [turn('worker-1', 'Hello')]],
    [
      'the worker, with the answer that was cut off',
      () => [turn('worker-1', 'Hello'), turn('worker-2', 'We are', 'agent')],
    ],
  ])('shows a first question once that %s has reported', async (_, historyOf) => {
    const { before, arrive } = twoPages();
    before.session.sendMessage('Hello');
    await before.settle();
    await before.agentArrives();
    const piece = { segment: 'a1', role: 'agent', text: 'We are', starts: true } as const;
    before.rooms[0]?.events.piece({ ...piece, final: false });
    const { id = '' } = before.session.state.messages[0] ?? {};
    const next = arrive();
    next.service.resume.mockResolvedValueOnce(next.joining({ messages: historyOf(id) }));
    await open(next);
    await next.agentArrives();
    expect(next.rooms[0]?.room.sendText.mock.calls).toEqual([['lk.chat', 'Hello']]);
    expect(next.session.state.messages).toMatchObject([{ id, text: 'Hello', state: 'done' }]);
  });

  test('waits for the last word of a window that is still there', async () => {
    let say: () => void = () => {};
    const { before, next } = await changePage(async (page) => {
      await vi.advanceTimersByTimeAsync(200);
      say = () => {
        page.session.draft = 'And the last';
        page.session.nextPage.leave();
      };
    }, true);
    let end: () => void = () => {};
    next.life.waitForEnd.mockReturnValue(
      new Promise((resolve) => {
        end = resolve;
      }),
    );
    const onArrived = vi.fn();
    next.session.nextPage.waitForLeftPage().then(onArrived);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(next.life.waitForEnd.mock.calls).toEqual([[before.life.id]]);
    expect(onArrived).not.toHaveBeenCalled();
    say();
    expect(before.life.end).toHaveBeenCalledOnce();
    end();
    await next.settle();
    expect(onArrived).toHaveBeenCalledOnce();
    expect(next.session.nextPage.restoreLeftPage(true)).toBe(true);
    expect(next.session.draft).toBe('And the last');
  });

  test('waits for nothing when the last word is there, or nothing at all', async () => {
    const { next } = await changePage();
    await next.session.nextPage.waitForLeftPage();
    expect(next.session.nextPage.restoreLeftPage(true)).toBe(true);
    const { session, life } = setUp();
    await session.nextPage.waitForLeftPage();
    expect(session.nextPage.restoreLeftPage(true)).toBe(false);
    for (const each of [life, next.life]) expect(each.waitForEnd).not.toHaveBeenCalled();
  });

  test('of a window that the browser ended has what it had shortly before', async () => {
    const { before, next } = await changePage(async ({ session }) => {
      session.draft = 'And';
      session.nextPage.keepSoon();
      await vi.advanceTimersByTimeAsync(200);
    }, true);
    vi.setSystemTime(Date.now() + 600_000);
    expect(next.session.nextPage.restoreLeftPage(true)).toBe(true);
    expect(next.session.draft).toBe('And');
    expect(next.session.state.messages).toEqual(before.session.state.messages);
  });

  test('is not taken by a copy of the tab while the window is there', async () => {
    const { next } = await changePage(async () => {
      await vi.advanceTimersByTimeAsync(200);
    }, true);
    expect(next.session.nextPage.restoreLeftPage(false)).toBe(false);
    expect(next.session.nextPage.restoreLeftPage(true), 'removed').toBe(false);
  });

  test('gets nothing from a window that has not yet looked what the page before left', async () => {
    const { before, next, tabStorage } = await changePage();
    const left = tabStorage.read('left-page');
    next.session.draft = 'Too early';
    next.session.nextPage.leave();
    expect(tabStorage.read('left-page')).toEqual(left);
    before.session.nextPage.leave();
    expect(tabStorage.read('left-page'), 'once only').toEqual(left);
  });

  test('is read once: a copy of the tab, and a later page, find nothing', async () => {
    const { next, tabStorage } = await changePage();
    expect(next.session.nextPage.restoreLeftPage(false)).toBe(true);
    expect(next.session.nextPage.restoreLeftPage(false)).toBe(false);
    next.session.nextPage.leave();
    vi.setSystemTime(Date.now() + 60_000);
    expect(setUp({}, undefined, tabStorage).session.nextPage.restoreLeftPage(false)).toBe(false);
  });

  test('leads back to a page that the browser had kept, with the newest token', async () => {
    const { before, next } = await changePage();
    next.session.nextPage.restoreLeftPage(true);
    await next.session.nextPage.resumeHere();
    await next.settle();
    await next.agentArrives();
    next.session.sendMessage('Thanks');
    await next.settle();
    next.agentSays('You are welcome.', 'a2');
    next.session.draft = 'Good';
    next.session.nextPage.leave();
    next.storage.saveConversation({ id: 'c1', token: 'newest', at: Date.now() });

    before.openElsewhere();
    expect(before.session.state.phase.name).toBe('continued-elsewhere');
    expect(before.session.nextPage.restoreLeftPage(true)).toBe(true);
    await before.session.nextPage.resumeHere();
    await before.settle();
    expect(before.service.resume.mock.calls).toEqual([
      ['c1', 'newest', { ...RESUME, page_changed: true }],
    ]);
    expect(before.session.state.messages.map(({ text }) => text)).toEqual([
      'Hello',
      'Hi!',
      'Thanks',
      'You are welcome.',
    ]);
    expect(before.session.draft).toBe('Good');
  });

  test.each([
    ['continues', (page: ReturnType<typeof setUp>) => page.session.openForm('contact')],
    ['has ended', (page: ReturnType<typeof setUp>) => page.session.end()],
  ])('leaves alone what is typed right after Back, where the conversation %s', async (_, use) => {
    const { before, next } = await changePage(({ session }) => {
      session.draft = 'And the';
      session.openForm('contact');
    });
    const { id = '' } = before.session.state.requests[0] ?? {};
    await open(next);
    await use(next);
    next.session.draft = 'Good';
    next.session.forms.saveDraft(id, { name: 'A' });
    next.session.nextPage.leave();
    before.rooms[0]?.room.sendText.mockRejectedValue(new Error('no connection'));
    before.session.sendMessage('One more thing');
    before.session.draft = 'And this';
    before.session.forms.saveDraft(id, { name: 'Ada' });
    await before.settle();
    before.session.nextPage.restoreLeftPage(true);
    expect(before.session.draft).toBe('And this');
    expect(before.session.state.messages.at(-1)).toMatchObject({
      text: 'One more thing',
      state: 'waiting',
    });
    expect(before.session.forms.drafts.get(id)).toEqual({ name: 'Ada' });
    expect(before.session.state.requests).toMatchObject([{ id }]);
  });

  test.each([
    ['nothing', false, false],
    ['a conversation that began by itself', true, true],
  ])('an untouched page leaves %s', async (_, start_conversation_on_toggle, isLeft) => {
    const tabStorage = createStorage('w1', throwBlocked);
    const { session, setTouched } = setUp({ start_conversation_on_toggle }, undefined, tabStorage);
    setTouched(false);
    session.nextPage.restoreLeftPage(false);
    session.setOpen(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(tabStorage.read('left-page') !== null).toBe(isLeft);
    setTouched(true);
    session.nextPage.leave();
    expect(tabStorage.read('left-page')).not.toBeNull();
  });

  test('of another build is left alone', () => {
    const tabStorage = createStorage('w1', throwBlocked);
    tabStorage.write('left-page', { at: Date.now(), conversationId: 'c1' });
    expect(setUp({}, undefined, tabStorage).session.nextPage.restoreLeftPage(true)).toBe(false);
  });

  test('a conversation that ended is not taken up, but the draft is', async () => {
    const { next, tabStorage } = await changePage(async ({ session }) => {
      await session.end();
      session.draft = 'One more';
    });
    const left = tabStorage.read('left-page');
    expect(left).toMatchObject({
      conversation: { name: 'none' },
      messages: [],
      requests: [],
      call: 'none',
      draft: 'One more',
    });
    expect(next.session.nextPage.restoreLeftPage(true)).toBe(false);
    expect(next.session.draft).toBe('One more');
    expect(next.session.state.phase.name).toBe('idle');
  });

  test('shows an enlarged window as large', async () => {
    const { next } = await changePage(({ session }) => session.enlarge(true));
    next.session.nextPage.restoreLeftPage(true);
    expect(next.session.state.isExpanded).toBe(true);
  });

  test('asks for feedback again, as far as it was filled in', async () => {
    const post_conversation_feedback = {
      ...config().post_conversation_feedback,
      enabled: true,
    };
    const { before, arrive } = twoPages({ post_conversation_feedback });
    before.session.sendMessage('Hello');
    await before.settle();
    await before.agentArrives();
    before.agentSays('Hi!');
    await before.session.end();
    before.session.forms.saveDraft('feedback', { comment: 'Very' });
    const next = arrive();
    const { session, service, settle } = next;
    expect(session.nextPage.restoreLeftPage(true)).toBe(true);
    session.setOpen(true);
    await session.nextPage.resumeHere();
    await settle();
    expect(session.state).toMatchObject({ phase: { name: 'ended', feedback: 'asked' } });
    expect(session.state.messages).toEqual(before.session.state.messages);
    expect(session.forms.drafts.get('feedback')).toEqual({ comment: 'Very' });
    expect(service.resume).not.toHaveBeenCalled();
    await session.submitFeedback({ rating: 5, comment: 'Very good' });
    expect(service.submitFeedback).toHaveBeenCalledWith('c1', 'token1', {
      rating: 5,
      comment: 'Very good',
    });
    expect(session.forms.drafts.has('feedback')).toBe(false);
  });

  describe('of a conversation that asks for feedback', () => {
    const TOKEN = /token1/;

    async function asked() {
      const { post_conversation_feedback } = config();
      const pages = twoPages({
        post_conversation_feedback: { ...post_conversation_feedback, enabled: true },
      });
      const { session, settle } = pages.before;
      session.sendMessage('Hello');
      await settle();
      await session.end();
      await vi.advanceTimersByTimeAsync(200);
      return { ...pages, stored: () => JSON.stringify(pages.tabStorage.read('left-page')) };
    }

    test.each<[string, (session: Session) => unknown]>([
      ['given', (session) => session.submitFeedback({ rating: 5 })],
      ['skipped', (session) => session.skipFeedback()],
    ])('gets the token once it is left, and none after that was %s', async (_, finish) => {
      const { before, stored } = await asked();
      const { nextPage } = before.session;
      expect(stored(), 'the page is there').not.toMatch(TOKEN);
      nextPage.leave();
      expect(stored(), 'the page is left').toMatch(TOKEN);
      expect(nextPage.restoreLeftPage(true)).toBe(true);
      expect(stored(), 'at once').not.toMatch(TOKEN);
      await vi.advanceTimersByTimeAsync(200);
      expect(stored(), 'the page is back').not.toMatch(TOKEN);
      await finish(before.session);
      nextPage.leave();
      expect(stored(), 'there is nothing to ask for').not.toMatch(TOKEN);
    });

    test('does not ask for it with a token that is too old', async () => {
      const { arrive } = await asked();
      const { session } = arrive();
      vi.setSystemTime(Date.now() + TOKEN_LIFETIME);
      expect(session.nextPage.restoreLeftPage(true)).toBe(false);
    });
  });

  describe('of a conversation that has ended', () => {
    test.each<[string, Partial<Config>, (page: ReturnType<typeof setUp>) => unknown]>([
      ['asks for no microphone', { default_mode: 'voice' }, (page) => page.openMicrophone],
      ['starts no other one', { start_conversation_on_toggle: true }, (page) => page.service.start],
    ])('%s until the visitor opens the window', async (_, changes, begunOn) => {
      const { before, arrive } = twoPages(changes);
      before.session.setOpen(true);
      await before.settle();
      await before.session.end();
      const next = arrive();
      await open(next);
      expect(begunOn(next)).not.toHaveBeenCalled();
      next.session.setOpen(false);
      next.session.setOpen(true);
      await next.settle();
      expect(begunOn(next)).toHaveBeenCalledOnce();
    });
  });

  test('a muted call behind the form before the conversation waits for the visitor', async () => {
    const hello = form('hello', [field({ id: 'name', type: 'text', required: true })]);
    const { before, arrive } = twoPages({ default_mode: 'voice', pre_conversation_form: hello });
    before.session.setOpen(true);
    await before.settle();
    before.session.setMuted(true);
    const next = arrive();
    await open(next);
    expect(next.openMicrophone).not.toHaveBeenCalled();
    expect(next.session.state).toMatchObject({
      form: { definition: { id: 'hello' } },
      voice: { name: 'paused', isMuted: true },
    });
  });

  const talk = async ({ session, settle }: ReturnType<typeof setUp>) => {
    session.startCall();
    await settle();
  };

  test('the call returns by itself when nothing has to be asked', async () => {
    const { next } = await changePage(talk);
    next.session.nextPage.restoreLeftPage(true);
    await next.session.nextPage.resumeHere();
    await next.settle();
    expect(next.session.state.voice).toEqual({ name: 'on', isMuted: false });
    expect(next.service.resume.mock.calls[0]?.at(-1)).toMatchObject({ mode: 'voice' });
    expect(next.rooms[0]?.room.startPublishing).toHaveBeenCalledWith(expect.anything(), false);
  });

  test.each([
    ['muted', true, true],
    ['not allowed for good', false, false],
  ])('a microphone that was %s waits for the visitor', async (_, isMuted, isGranted) => {
    const { next } = await changePage(async (page) => {
      await talk(page);
      page.session.setMuted(isMuted);
    });
    next.isMicrophoneGranted.mockResolvedValue(isGranted);
    next.session.nextPage.restoreLeftPage(true);
    await next.session.nextPage.resumeHere();
    await next.settle();
    expect(next.openMicrophone).not.toHaveBeenCalled();
    expect(next.session.state.voice).toEqual({ name: 'paused', isMuted });
    await next.session.startCall();
    await next.settle();
    expect(next.session.state.voice).toEqual({ name: 'on', isMuted });
  });
});

test('the agent knows the page of each moment, also of a single-page site', async () => {
  const { session, service, loader, rooms, settle, agentArrives } = setUp();
  session.hostPage.set({}, { url: 'https://shop.example/a', title: 'A' });
  // The loader sends the present page with the ticket.
  loader.requestTicket.mockImplementation(async () => {
    session.hostPage.change({ url: 'https://shop.example/b', title: 'B' });
    return 'ticket';
  });
  session.start();
  await settle();
  expect(service.start.mock.calls[0]?.[1].custom_metadata).toMatchObject({ title: 'B' });
  await agentArrives();
  session.hostPage.change({ url: 'https://shop.example/b', title: 'B' });
  session.hostPage.change({ url: 'https://shop.example/c', title: 'C' });
  expect(rooms[0]?.room.sendText.mock.calls).toEqual([
    ['web-widget.page', '{"url":"https://shop.example/b","title":"B"}'],
    ['web-widget.page', '{"url":"https://shop.example/c","title":"C"}'],
  ]);
  session.hostPage.setContext({ cart: 2 });
  expect(rooms[0]?.room.sendText.mock.lastCall).toEqual(['web-widget.context', '{"cart":2}']);
  // The agent of the next room may be another one.
  loader.requestTicket.mockImplementation(async () => {
    session.hostPage.change({ url: 'https://shop.example/d', title: 'D' });
    return 'ticket';
  });
  session.continue();
  await settle();
  await agentArrives();
  expect(rooms[1]?.room.sendText.mock.calls).toEqual([
    ['web-widget.page', '{"url":"https://shop.example/d","title":"D"}'],
    ['web-widget.context', '{"cart":2}'],
  ]);
});

test('nobody learns the token of a preview from the address of its page', async () => {
  const { session, service, loader, rooms, settle, agentArrives } = setUp();
  const address = 'https://widgets.example/public/preview/';
  session.hostPage.set({}, { url: `${address}Abc-_9?x=1`, title: 'Preview' });
  loader.requestTicket.mockResolvedValue('ticket');
  session.start();
  await settle();
  expect(service.start.mock.calls[0]?.[1].custom_metadata).toMatchObject({ url: `${address}?x=1` });
  await agentArrives();
  // The loader sends it with each ticket: it is the same page.
  session.hostPage.change({ url: `${address}Abc-_9?x=1`, title: 'Preview' });
  session.hostPage.change({ url: `${address}Abc-_9#y`, title: 'Preview' });
  expect(rooms[0]?.room.sendText.mock.calls).toEqual([
    ['web-widget.page', `{"url":"${address}?x=1","title":"Preview"}`],
    ['web-widget.page', `{"url":"${address}#y","title":"Preview"}`],
  ]);
});

describe('the microphone of a call', () => {
  const newTrack = () =>
    Object.assign(new EventTarget(), { stop: vi.fn() }) as unknown as MediaStreamTrack;

  async function calling() {
    const parts = setUp();
    parts.session.start();
    await parts.settle();
    await parts.session.startCall();
    await parts.settle();
    return parts;
  }

  test('that another program takes is said to be interrupted until it is back', async () => {
    const { session, track } = await calling();
    track.dispatchEvent(new Event('mute'));
    expect(session.state).toMatchObject({ isInterrupted: true, voice: { name: 'on' } });
    track.dispatchEvent(new Event('unmute'));
    expect(session.state).toMatchObject({ isInterrupted: false, voice: { name: 'on' } });
  });

  test('that is unplugged is replaced by another one, muted as it was', async () => {
    const { session, rooms, track, openMicrophone, settle } = await calling();
    session.setMuted(true);
    const other = newTrack();
    openMicrophone.mockResolvedValue(other);
    track.dispatchEvent(new Event('ended'));
    expect(session.state.isInterrupted).toBe(true);
    await settle();
    expect(session.state).toMatchObject({
      isInterrupted: false,
      voice: { name: 'on', isMuted: true },
    });
    expect(rooms[0]?.room.stopPublishing).toHaveBeenCalledOnce();
    expect(rooms[0]?.room.startPublishing).toHaveBeenLastCalledWith(other, true);
  });

  test('that is unplugged, and no other is there, ends the call with that sentence', async () => {
    const { session, track, openMicrophone, settle } = await calling();
    openMicrophone.mockResolvedValue('missing');
    track.dispatchEvent(new Event('ended'));
    await settle();
    expect(session.state.voice).toEqual({ name: 'off', problem: 'missing' });
  });

  test('that is plugged in again offers to continue the call, muted as it was', async () => {
    const { session, rooms, track, openMicrophone, plugIn, settle } = await calling();
    session.setMuted(true);
    openMicrophone.mockResolvedValueOnce('missing');
    track.dispatchEvent(new Event('ended'));
    await settle();
    session.sendMessage('Are you still there?');
    plugIn();
    await settle();
    expect(session.state.voice).toEqual({ name: 'paused', isMuted: true });
    const other = newTrack();
    openMicrophone.mockResolvedValue(other);
    await session.startCall();
    expect(session.state.voice).toEqual({ name: 'on', isMuted: true });
    expect(rooms[0]?.room.startPublishing).toHaveBeenLastCalledWith(other, true);
  });

  test('that is plugged in after the conversation has ended offers nothing', async () => {
    const { session, track, openMicrophone, plugIn, settle } = await calling();
    openMicrophone.mockResolvedValueOnce('missing');
    track.dispatchEvent(new Event('ended'));
    await settle();
    await session.end();
    plugIn();
    await settle();
    expect(session.state.voice.name).toBe('off');
  });

  test('is not opened again by a call that ended meanwhile', async () => {
    const { session, track, openMicrophone, settle } = await calling();
    const other = newTrack();
    openMicrophone.mockResolvedValue(other);
    track.dispatchEvent(new Event('ended'));
    session.endCall();
    await settle();
    expect(other.stop).toHaveBeenCalled();
    expect(session.state.voice).toEqual({ name: 'off', problem: null });
  });

  test('is the one that the visitor has chosen, also in the next call', async () => {
    const { session, rooms, openMicrophone, settle } = await calling();
    const other = newTrack();
    openMicrophone.mockResolvedValue(other);
    await session.chooseMicrophone('headset');
    await settle();
    expect(openMicrophone).toHaveBeenLastCalledWith('headset');
    expect(rooms[0]?.room.startPublishing).toHaveBeenLastCalledWith(other, false);
    session.endCall();
    await session.startCall();
    expect(openMicrophone).toHaveBeenLastCalledWith('headset');
  });
});

test('a voice that the browser does not play is played on a tap', async () => {
  const { session, rooms, settle } = setUp();
  await session.startCall();
  await settle();
  rooms[0]?.events.soundBlocked(true);
  expect(session.state.isSoundBlocked).toBe(true);
  session.playSound();
  expect(rooms[0]?.room.playAgent).toHaveBeenLastCalledWith(true);
  rooms[0]?.events.soundBlocked(false);
  expect(session.state.isSoundBlocked).toBe(false);
});

describe('a microphone that the visitor chooses', () => {
  const newTrack = () =>
    Object.assign(new EventTarget(), { stop: vi.fn() }) as unknown as MediaStreamTrack;

  test.each(['busy', 'denied', 'missing'] as const)(
    'and that is %s is not kept, and the call continues',
    async (problem) => {
      const { session, rooms, track, openMicrophone, storage, settle } = setUp();
      await session.startCall();
      await settle();
      openMicrophone.mockResolvedValueOnce(problem);
      expect(await session.chooseMicrophone('headset')).toBe(false);
      expect(openMicrophone, 'no other one instead').toHaveBeenCalledTimes(2);
      expect(storage.read('microphone')).toBeNull();
      expect(track.stop).not.toHaveBeenCalled();
      expect(rooms[0]?.room.startPublishing).toHaveBeenCalledOnce();
      expect(session.state.voice).toEqual({ name: 'on', isMuted: false });
      session.endCall();
      await session.startCall();
      expect(openMicrophone).toHaveBeenLastCalledWith(undefined);
    },
  );

  test('last is the one that is used, also where another one is still opening', async () => {
    const { session, rooms, openMicrophone, storage, settle } = setUp();
    await session.startCall();
    await settle();
    let open = (_: MediaStreamTrack) => {};
    openMicrophone.mockReturnValueOnce(new Promise((resolve) => (open = resolve)));
    const last = newTrack();
    openMicrophone.mockResolvedValueOnce(last);
    const choices = ['phone', 'headset'].map((id) => session.chooseMicrophone(id));
    await settle();
    open(newTrack());
    expect(await Promise.all(choices)).toEqual([true, true]);
    await settle();
    expect(rooms[0]?.room.startPublishing).toHaveBeenLastCalledWith(last, false);
    expect(storage.read('microphone')).toBe('headset');
  });

  test('and that fails leaves the choice of another one', async () => {
    const { session, openMicrophone, settle } = setUp();
    await session.startCall();
    await settle();
    openMicrophone.mockRejectedValueOnce(new Error('not foreseen'));
    await expect(session.chooseMicrophone('phone')).rejects.toThrow();
    openMicrophone.mockResolvedValueOnce(newTrack());
    expect(await session.chooseMicrophone('headset')).toBe(true);
  });

  test('is not published after the call has ended', async () => {
    const { session, rooms, openMicrophone, settle } = setUp();
    await session.startCall();
    await settle();
    const { stopPublishing, startPublishing } = rooms[0]?.room ?? {};
    let stopped = () => {};
    stopPublishing?.mockReturnValueOnce(new Promise((resolve) => (stopped = resolve)));
    openMicrophone.mockResolvedValueOnce(newTrack());
    await session.chooseMicrophone('headset');
    session.endCall();
    stopped();
    await settle();
    expect(startPublishing, 'only the one before').toHaveBeenCalledOnce();
  });

  test('and that opens is kept', async () => {
    const { session, openMicrophone, storage, settle } = setUp();
    await session.startCall();
    await settle();
    openMicrophone.mockResolvedValueOnce(newTrack());
    expect(await session.chooseMicrophone('headset')).toBe(true);
    expect(storage.read('microphone')).toBe('headset');
  });

  test.each(['busy', 'missing'] as const)(
    'and that is %s at the next call leaves it to any other one',
    async (problem) => {
      const { session, openMicrophone, storage } = setUp();
      storage.write('microphone', 'headset');
      openMicrophone.mockImplementation(async (id) => (id ? problem : newTrack()));
      await session.startCall();
      expect(openMicrophone.mock.calls).toEqual([['headset'], []]);
      expect(session.state.voice).toEqual({ name: 'on', isMuted: false });
      expect(storage.read('microphone'), 'it may be back for the next call').toBe('headset');
    },
  );

  test('is not asked for twice by a visitor who denies it', async () => {
    const { session, openMicrophone, storage } = setUp();
    storage.write('microphone', 'headset');
    openMicrophone.mockResolvedValue('denied');
    await session.startCall();
    expect(openMicrophone).toHaveBeenCalledOnce();
    expect(session.state.voice).toEqual({ name: 'off', problem: 'denied' });
  });
});
