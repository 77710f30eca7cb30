/** Loudness of an audio track, for the picture that moves with the voice. */

export interface Meter {
  /** 0 to 1, already scaled so that ordinary speech fills most of it. */
  level(): number;
  stop(): void;
}

let shared: AudioContext | null = null;

export function createMeter(track: MediaStreamTrack): Meter {
  try {
    shared ??= new AudioContext();
    const context = shared;
    if (context.state === 'suspended') context.resume().catch(() => {});
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      level() {
        analyser.getFloatTimeDomainData(samples);
        let sum = 0;
        for (const sample of samples) sum += sample * sample;
        return Math.min(1, Math.sqrt(sum / samples.length) * 5);
      },
      stop() {
        source.disconnect();
        analyser.disconnect();
      },
    };
  } catch {
    // No Web Audio here: the picture stays still, the voice is heard all the same.
    return { level: () => 0, stop() {} };
  }
}
