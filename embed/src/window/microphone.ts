/** Asks for the microphone and names what is in the way when there is none. */
import type { MicrophoneProblem } from './state';

/** Chromium's own interface; elsewhere a policy's refusal cannot be told from the visitor's. */
interface WithPolicy {
  featurePolicy?: { allowsFeature(name: string): boolean };
}

export async function openMicrophone(): Promise<MediaStreamTrack | MicrophoneProblem> {
  // Asked first: a page that forbids it gets the same error as a visitor who refuses.
  if ((document as WithPolicy).featurePolicy?.allowsFeature('microphone') === false)
    return 'blocked';
  if (!window.isSecureContext || !navigator.mediaDevices) return 'insecure';
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    return stream.getAudioTracks()[0] ?? 'missing';
  } catch (error) {
    return nameOf(error);
  }
}

export function nameOf(error: unknown): MicrophoneProblem {
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
