/** Measures the loudness of an audio track, for the sphere that moves with the voice. */

export interface AudioMeter {
  /** 0 to 1, already scaled so that ordinary speech fills most of it. */
  level(): number;
  stop(): void;
}

let shared: AudioContext | null = null;

export function createAudioMeter(track: MediaStreamTrack): AudioMeter {
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
    // Without Web Audio the sphere does not move; the voice is heard anyway.
    return { level: () => 0, stop() {} };
  }
}
