/** An attempt while the code that joins rooms is still on its way, and after it has arrived. */
import { expect, test, vi } from 'vitest';
import type { Joining } from '../src/generated/api';
import {
  Attempt,
  type AttemptDependencies,
  type AttemptObserver,
} from '../src/window/conversation/attempt';
import { createBackoff } from '../src/window/conversation/backoff';
import type { FormRequests } from '../src/window/conversation/form-requests';
import { RoomTalk } from '../src/window/conversation/room-talk';
import { Store } from '../src/window/conversation/store';

const track = {} as MediaStreamTrack;
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** An attempt in voice whose room module arrives when `arrive` is called. */
async function begin() {
  const room = {
    playAgent: vi.fn(),
    startPublishing: vi.fn(async () => {}),
    stopPublishing: vi.fn(async () => {}),
    leave: vi.fn(async () => {}),
  };
  const module = { joinRoom: vi.fn(async () => room), RoomTalk };
  let arrive = () => {};
  const dependencies = {
    store: new Store(),
    backoff: createBackoff(),
    forms: {} as FormRequests,
    formIds: [],
    loadRoomModule: () =>
      new Promise<typeof module>((resolve) => {
        arrive = () => resolve(module);
      }),
    reserveVoice: vi.fn(async () => {}),
    isWebRtcAvailable: () => true,
    now: () => 0,
  };
  const observer = { onRoomCreated: vi.fn(), onJoined: vi.fn(), onClosed: vi.fn() };
  const attempt = new Attempt(
    dependencies as unknown as AttemptDependencies,
    observer as unknown as AttemptObserver,
  );
  const conversation = { id: 'c1', mode: 'voice', messages: [] };
  attempt.run(async () => ({ conversation }) as unknown as Joining);
  await settle();
  return {
    attempt,
    room,
    observer,
    dependencies,
    arrive() {
      arrive();
      return settle();
    },
  };
}

test('a call that began with the conversation needs no further permission', async () => {
  const { attempt, room, observer, dependencies, arrive } = await begin();
  expect(attempt.hasRoom).toBe(false);
  expect(attempt.levels()).toEqual({ visitor: 0, agent: 0 });
  await arrive();
  expect(attempt.hasRoom).toBe(true);
  expect(observer.onJoined).toHaveBeenCalledOnce();
  attempt.startCall(track);
  expect(room.startPublishing).toHaveBeenCalledWith(track, false);
  expect(dependencies.reserveVoice).not.toHaveBeenCalled();
  attempt.end();
  expect(attempt.hasRoom).toBe(false);
});

test('a call that ended before the code arrived asks again when it returns', async () => {
  const { attempt, room, dependencies, arrive } = await begin();
  attempt.stopCall();
  await arrive();
  attempt.startCall(track);
  expect(room.startPublishing).not.toHaveBeenCalled();
  await settle();
  expect(dependencies.reserveVoice).toHaveBeenCalledOnce();
  expect(room.startPublishing).toHaveBeenCalledWith(track, false);
  attempt.end();
});

test('an attempt that ended before the code arrived leaves the room again', async () => {
  const { attempt, room, observer, arrive } = await begin();
  attempt.end();
  await arrive();
  expect(room.leave).toHaveBeenCalledOnce();
  expect(attempt.hasRoom).toBe(false);
  expect(observer.onJoined).not.toHaveBeenCalled();
});
