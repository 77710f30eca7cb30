/** What the window makes of LiveKit's room: real tracks and events of its client, a room that does as it is told. */
import { EventEmitter } from 'node:events';
import { type LocalTrack, RoomEvent, Track, TrackEvent } from 'livekit-client';
import { beforeEach, expect, test, vi } from 'vitest';
import { join, type Live, type LiveEvents } from '../src/window/live';

/** The room that was joined last. */
let room: FakeRoom;

class FakeRoom extends EventEmitter {
  readonly remoteParticipants = new Map();
  /** What the server was told when the track came, and afterwards. */
  readonly told: string[] = [];
  /** Ends the publishing that is under way. */
  published = () => {};
  readonly localParticipant = {
    identity: 'visitor',
    publishTrack: (track: LocalTrack) =>
      new Promise<void>((resolve) => {
        this.told.push(track.isMuted ? 'published muted' : 'published');
        this.published = () => {
          track.on(TrackEvent.Muted, () => this.told.push('muted'));
          track.on(TrackEvent.Unmuted, () => this.told.push('unmuted'));
          resolve();
        };
      }),
    unpublishTrack: vi.fn(async () => {}),
  };
  registerTextStreamHandler() {}
  registerRpcMethod() {}
  async connect() {
    room = this;
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

beforeEach(() => void vi.stubGlobal('MediaStream', class {}));

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

/** The visitor's track, and what is sent of it. */
function microphone() {
  const sent = fakeTrack();
  return { track: Object.assign(fakeTrack(), { clone: () => sent }), sent };
}

const events = (): LiveEvents => ({
  agent: vi.fn(),
  piece: vi.fn(),
  reconnecting: vi.fn(),
  reconnected: vi.fn(),
  closed: vi.fn(),
  form: vi.fn(),
});

const enter = () => join('ws://livekit', 'token', [], events());

/** Lets everything run that waits for nothing from outside. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a muted visitor is muted before anything is published', async () => {
  const live = await enter();
  const { track, sent } = microphone();
  const spoken = live.speak(track, true);
  await settle();
  expect(room.told).toEqual(['published muted']);
  expect(sent.enabled).toBe(false);
  room.published();
  await spoken;
  expect(sent.enabled).toBe(false);
  await live.mute(false);
  expect(sent.enabled).toBe(true);
  expect(room.told).toEqual(['published muted', 'unmuted']);
});

test.each([
  [false, ['published', 'muted']],
  [true, ['published muted', 'unmuted']],
])(
  'muted: %s changes while it is published, at once and for the server too',
  async (muted, told) => {
    const live = await enter();
    const { track, sent } = microphone();
    const spoken = live.speak(track, muted);
    await settle();
    await live.mute(!muted);
    expect(sent.enabled).toBe(muted);
    room.published();
    await spoken;
    expect(sent.enabled).toBe(muted);
    expect(room.told).toEqual(told);
  },
);

test.each<[string, (live: Live) => unknown]>([
  ['the visitor stops talking', (live) => live.hush()],
  ['the room is left', (live) => live.leave()],
  ['the room is gone', () => room.emit(RoomEvent.Disconnected)],
])(
  'when %s, what is sent stops, even if it is only being published, and the microphone stays',
  async (_, stop) => {
    const live = await enter();
    const { track, sent } = microphone();
    live.speak(track, false);
    await settle();
    await stop(live);
    expect(sent.stop).toHaveBeenCalled();
    expect(track.stop).not.toHaveBeenCalled();
  },
);

test('a voice that is no longer sent is taken out of the room', async () => {
  const live = await enter();
  live.speak(microphone().track, false);
  await settle();
  await live.hush();
  expect(room.localParticipant.unpublishTrack).toHaveBeenCalledOnce();
});

test('the agent is heard again after its track was taken away and brought anew', async () => {
  const agent = { isAgent: true, identity: 'agent', attributes: {} };
  const voice = () => ({
    kind: Track.Kind.Audio,
    mediaStreamTrack: {},
    attach: vi.fn(),
    detach: vi.fn(() => []),
  });
  const live = await enter();
  live.hear(true);
  const before = voice();
  room.emit(RoomEvent.TrackSubscribed, before, {}, agent);
  expect(before.attach).toHaveBeenCalledOnce();
  // A full reconnect takes all tracks away first, and brings those anew that are still there.
  room.emit(RoomEvent.TrackUnsubscribed, before, {}, agent);
  expect(before.detach).toHaveBeenCalledOnce();
  const after = voice();
  room.emit(RoomEvent.TrackSubscribed, after, {}, agent);
  expect(after.attach).toHaveBeenCalledOnce();
  live.hear(false);
  expect(after.detach).toHaveBeenCalledOnce();
});
