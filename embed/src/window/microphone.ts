/** Asks the browser for the microphone, and says what is in the way when it gives none. */
/** What is in the way of the microphone. */
export type MicrophoneProblem = 'blocked' | 'denied' | 'missing' | 'insecure' | 'busy';

/** Chromium only; elsewhere a policy's refusal looks the same as the visitor's. */
interface WithPolicy {
  featurePolicy?: { allowsFeature(name: string): boolean };
}

/** `deviceId`: that microphone and no other one. */
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
