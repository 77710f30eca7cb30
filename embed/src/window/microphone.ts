/** Asks the browser for the microphone, and says what is in the way when it gives none. */
/** What is in the way of the microphone. */
export type MicrophoneProblem = 'blocked' | 'denied' | 'missing' | 'insecure' | 'busy';

/** Chromium only; elsewhere a policy's refusal looks the same as the visitor's. */
interface WithPolicy {
  featurePolicy?: { allowsFeature(name: string): boolean };
}

/** `deviceId`: the microphone that the visitor has chosen, if it is there. */
export async function openMicrophone(
  deviceId?: string,
): Promise<MediaStreamTrack | MicrophoneProblem> {
  // Checked first: a page that forbids it gets the same error as a visitor who refuses.
  if ((document as WithPolicy).featurePolicy?.allowsFeature('microphone') === false)
    return 'blocked';
  if (!window.isSecureContext || !navigator.mediaDevices) return 'insecure';
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(deviceId && { deviceId: { exact: deviceId } }),
      },
    });
    return stream.getAudioTracks()[0] ?? 'missing';
  } catch (error) {
    // The chosen one is not there.
    if (deviceId && (error as Error).name === 'OverconstrainedError') return openMicrophone();
    return problemOf(error);
  }
}

export function problemOf(error: unknown): MicrophoneProblem {
  switch ((error as Error)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    default:
      return 'busy';
  }
}

/** Whether the microphone opens without a question. */
export async function isMicrophoneGranted(): Promise<boolean> {
  try {
    const { state } = await navigator.permissions.query({ name: 'microphone' });
    return state === 'granted';
  } catch {
    // Not every browser answers for the microphone.
    return false;
  }
}

/** The microphones to choose from; browsers name them only once one is open. */
export async function listMicrophones(): Promise<{ id: string; label: string }[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return (
    devices
      // Chromium lists the one for calls a second time.
      .filter(
        ({ kind, label, deviceId }) =>
          kind === 'audioinput' && label && deviceId !== 'communications',
      )
      .map(({ deviceId, label }) => ({ id: deviceId, label }))
  );
}

/** Resolves once there is a microphone; its name may be hidden. */
export async function waitForMicrophone() {
  const devices = navigator.mediaDevices;
  while (!(await devices.enumerateDevices()).some(({ kind }) => kind === 'audioinput'))
    await new Promise((resolve) =>
      devices.addEventListener('devicechange', resolve, { once: true }),
    );
}

/** Calls back when a microphone is plugged in or out, until the signal aborts. */
export function watchMicrophones(callback: () => void, signal: AbortSignal) {
  navigator.mediaDevices?.addEventListener('devicechange', callback, { signal });
}
