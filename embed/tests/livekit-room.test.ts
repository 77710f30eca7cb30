/** How the window uses LiveKit: real tracks and events of its client, and a fake room. */
import { EventEmitter } from 'node:events';
import {
  ConnectionError,
  ConnectionState,
  DisconnectReason,
  type LocalTrack,
  RoomEvent,
  Track,
  TrackEvent,
} from 'livekit-client';
import { beforeEach, expect, test, vi } from 'vitest';
import type { JoinProblem } from '../src/window/conversation/join-problem';
import type { Room, RoomEvents } from '../src/window/conversation/room';
import { joinRoom } from '../src/window/livekit-room';

/** What happens while the room is joined. */
let connect: (room: FakeRoom) => Promise<void> = async () => {};

/** The LiveKit room that was joined last. */
let livekit: FakeRoom;

class FakeRoom extends EventEmitter {
  readonly remoteParticipants = new Map();
  /** What the server learned about the track. */
  readonly reported: string[] = [];
  /** Completes the publishing that is in progress. */
  published = () => {};
  readonly localParticipant = {
    identity: 'visitor',
    publishTrack: (track: LocalTrack) =>
      new Promise<void>((resolve) => {
        this.reported.push(track.isMuted ? 'published muted' : 'published');
        this.published = () => {
          track.on(TrackEvent.Muted, () => this.reported.push('muted'));
          track.on(TrackEvent.Unmuted, () => this.reported.push('unmuted'));
          resolve();
        };
      }),
    unpublishTrack: vi.fn(async () => {}),
  };
  state = ConnectionState.Connected;
  /** Receives each stream of text. */
  onText: (reader: unknown, sender: { identity: string }) => Promise<void> = async () => {};
  registerTextStreamHandler(_: string, handler: FakeRoom['onText']) {
    this.onText = handler;
  }
  /** What the agent may call. */
  readonly methods = new Map<string, (call: object) => Promise<string>>();
  registerRpcMethod(name: string, method: (call: object) => Promise<string>) {
    this.methods.set(name, method);
  }
  async connect() {
    livekit = this;
    await connect(this);
  }
  async startAudio() {}
  async disconnect() {}
}

vi.mock('livekit-client', async (original) => ({
  ...(await original<typeof import('livekit-client')>()),
  Room: class {
    constructor() {
      // biome-ignore lint/correctness/noConstructorReturn: hoisted above the class that it stands for
      return new FakeRoom();
    }
  },
}));

beforeEach(() => {
  vi.stubGlobal('MediaStream', class {});
  connect = async () => {};
});

function fakeTrack() {
  const track = Object.assign(new EventTarget(), {
    kind: 'audio',
    enabled: true,
    readyState: 'live',
    stop: vi.fn(),
    getConstraints: () => ({}),
    getSettings: () => ({}),
  });
  return track as typeof track & MediaStreamTrack;
}

/** The visitor's track, and the copy that is sent. */
function microphone() {
  const sent = fakeTrack();
  return { track: Object.assign(fakeTrack(), { clone: () => sent }), sent };
}

const events = (): RoomEvents => ({
  agent: vi.fn(),
  piece: vi.fn(),
  reconnecting: vi.fn(),
  reconnected: vi.fn(),
  soundBlocked: vi.fn(),
  closed: vi.fn(),
  form: vi.fn(),
});

const enter = () => joinRoom('ws://livekit', 'token', [], events());

/** Runs everything that waits for nothing external. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a muted visitor is muted before anything is published', async () => {
  const room = await enter();
  const { track, sent } = microphone();
  const publishing = room.startPublishing(track, true);
  await settle();
  expect(livekit.reported).toEqual(['published muted']);
  expect(sent.enabled).toBe(false);
  livekit.published();
  await publishing;
  expect(sent.enabled).toBe(false);
  await room.setMuted(false);
  expect(sent.enabled).toBe(true);
  expect(livekit.reported).toEqual(['published muted', 'unmuted']);
});

test.each([
  [false, ['published', 'muted']],
  [true, ['published muted', 'unmuted']],
])(
  'muted: %s changes during publishing, at once and for the server too',
  async (muted, reported) => {
    const room = await enter();
    const { track, sent } = microphone();
    const publishing = room.startPublishing(track, muted);
    await settle();
    await room.setMuted(!muted);
    expect(sent.enabled).toBe(muted);
    livekit.published();
    await publishing;
    expect(sent.enabled).toBe(muted);
    expect(livekit.reported).toEqual(reported);
  },
);

test.each<[string, (room: Room) => unknown]>([
  ['the visitor stops talking', (room) => room.stopPublishing()],
  ['the room is left', (room) => room.leave()],
  ['the room is gone', () => livekit.emit(RoomEvent.Disconnected)],
])(
  'when %s, what is sent stops, also during publishing, and the microphone stays',
  async (_, stop) => {
    const room = await enter();
    const { track, sent } = microphone();
    room.startPublishing(track, false);
    await settle();
    await stop(room);
    expect(sent.stop).toHaveBeenCalled();
    expect(track.stop).not.toHaveBeenCalled();
  },
);

test('a voice that is no longer sent is unpublished', async () => {
  const room = await enter();
  room.startPublishing(microphone().track, false);
  await settle();
  await room.stopPublishing();
  expect(livekit.localParticipant.unpublishTrack).toHaveBeenCalledOnce();
});

const agent = { isAgent: true, identity: 'agent', attributes: {} };

/** The agent's track, which gets another element with each `attach`, as LiveKit's does. */
function voice() {
  const attachedElements: object[] = [];
  return {
    kind: Track.Kind.Audio,
    mediaStreamTrack: {},
    attachedElements,
    attach: vi.fn(() => void attachedElements.push({})),
    detach: vi.fn(() => {
      attachedElements.length = 0;
      return [];
    }),
  };
}

test('the agent is heard once, however often it is played', async () => {
  const room = await enter();
  const startAudio = vi.spyOn(livekit, 'startAudio');
  const track = voice();
  room.playAgent(true);
  livekit.emit(RoomEvent.TrackSubscribed, track, {}, agent);
  // On "Play sound", and for another microphone.
  room.playAgent(true);
  room.playAgent(true);
  expect(track.attach).toHaveBeenCalledOnce();
  expect(startAudio, 'which plays what a browser has refused').toHaveBeenCalledTimes(3);
  room.playAgent(false);
  room.playAgent(true);
  expect(track.attachedElements).toHaveLength(1);
});

test('the agent is heard again after its track was removed and added again', async () => {
  const room = await enter();
  room.playAgent(true);
  const before = voice();
  livekit.emit(RoomEvent.TrackSubscribed, before, {}, agent);
  expect(before.attach).toHaveBeenCalledOnce();
  // A full reconnect removes all tracks first, and then adds those that still exist.
  livekit.emit(RoomEvent.TrackUnsubscribed, before, {}, agent);
  expect(before.detach).toHaveBeenCalledOnce();
  const after = voice();
  livekit.emit(RoomEvent.TrackSubscribed, after, {}, agent);
  expect(after.attach).toHaveBeenCalledOnce();
  room.playAgent(false);
  expect(after.detach).toHaveBeenCalledOnce();
});

test.each<[JoinProblem, boolean, Error]>([
  ['token_rejected', false, ConnectionError.notAllowed('invalid token', 401)],
  ['livekit_unreachable', false, ConnectionError.serverUnreachable('failed to fetch')],
  ['livekit_unreachable', false, ConnectionError.timeout('timed out')],
  ['signal_refused', false, ConnectionError.internal('websocket error', { status: 200 })],
  ['signal_refused', false, ConnectionError.websocket('closed during connect')],
  ['media_unreachable', true, ConnectionError.internal('could not establish pc connection')],
  ['media_unreachable', true, new SyntaxError("'stun:127.0.0.1:9' is not a valid URL")],
])('a failure to join is named %s, signaling works: %s', async (problem, hasSignal, error) => {
  connect = async (room) => {
    if (hasSignal) room.emit(RoomEvent.SignalConnected);
    throw error;
  };
  await expect(enter()).rejects.toMatchObject({ problem, message: error.message });
});

test('a visitor who is removed while the media connect does not wait for them', async () => {
  connect = (room) => {
    room.emit(RoomEvent.SignalConnected);
    room.emit(RoomEvent.Disconnected, DisconnectReason.ROOM_DELETED);
    return new Promise(() => {});
  };
  await expect(enter()).rejects.toMatchObject({ problem: 'room_closed', message: 'ROOM_DELETED' });
});

test('only the agent opens a form, and with a payload that is JSON', async () => {
  const observed = { ...events(), form: vi.fn(async () => 'answer') };
  await joinRoom('ws://livekit', 'token', ['contact'], observed);
  livekit.emit(RoomEvent.ParticipantConnected, agent);
  const call = (callerIdentity: string, payload: string) =>
    livekit.methods.get('show_form_contact')?.({ callerIdentity, payload, responseTimeout: 9_000 });
  await expect(call('somebody', '{}')).rejects.toMatchObject({ code: 1500 });
  await expect(call('agent', '{')).rejects.toMatchObject({ code: 1500 });
  expect(observed.form).not.toHaveBeenCalled();
  expect(await call('agent', '')).toBe('answer');
  expect(observed.form.mock.calls).toEqual([['contact', 9_000]]);
});

test.each([
  ['the agent leaves', ConnectionState.Connected, [false, true]],
  ['the room is left', ConnectionState.Disconnected, [false]],
])('a turn that is cut off when %s is final: %s %s', async (_, state, finals) => {
  const observed = events();
  await joinRoom('ws://livekit', 'token', [], observed);
  async function* cutOff() {
    yield 'Hello, and';
    livekit.state = state;
    throw new Error('cut off');
  }
  const reader = Object.assign(cutOff(), { info: { id: 'a' } });
  await livekit.onText(reader, { identity: 'agent' });
  const pieces = vi.mocked(observed.piece).mock.calls.map(([piece]) => piece.final);
  expect(pieces).toEqual(finals);
});
