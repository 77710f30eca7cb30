/** How the browser is asked for a microphone. */
import { afterEach, expect, test, vi } from 'vitest';
import { openMicrophone } from '../src/window/microphone';

afterEach(() => void vi.unstubAllGlobals());

function stubDevices(getUserMedia: () => Promise<unknown>) {
  vi.stubGlobal('document', {});
  vi.stubGlobal('window', { isSecureContext: true });
  const open = vi.fn<(constraints: MediaStreamConstraints) => Promise<unknown>>(getUserMedia);
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: open } });
  return open;
}

test.each([
  ['NotReadableError', 'busy'],
  ['OverconstrainedError', 'missing'],
  ['NotAllowedError', 'denied'],
])(
  'a certain one that fails by %s is %s, and no other one takes its place',
  async (name, problem) => {
    const open = stubDevices(() => Promise.reject(new DOMException('', name)));
    expect(await openMicrophone('headset')).toBe(problem);
    expect(open).toHaveBeenCalledOnce();
    expect(open.mock.calls[0]?.[0].audio).toMatchObject({ deviceId: { exact: 'headset' } });
  },
);

test('without a choice, the browser decides', async () => {
  const track = {};
  const open = stubDevices(async () => ({ getAudioTracks: () => [track] }));
  expect(await openMicrophone()).toBe(track);
  expect(open.mock.calls[0]?.[0].audio).not.toHaveProperty('deviceId');
});
