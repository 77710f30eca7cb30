/**
 * Runs in every page and frame before its own scripts: records when there is sound and what
 * policies blocked. It only observes, and changes nothing that the widget sees.
 */

export interface Heard {
  /** Loudest short stretch so far, root mean square of samples from -1 to 1. */
  loudest: number;
  /** When it was first and last louder than a whisper, milliseconds since 1970. */
  bursts: { from: number; to: number }[];
}

export interface Probe {
  microphone: Heard;
  agent: Heard;
  violations: string[];
  /** The names of the microphones that were opened, oldest first. */
  microphones: string[];
}

declare global {
  interface Window {
    storyProbe: Probe;
  }
}

/**
 * The browser gets it as source, so it uses nothing from outside itself. `hearsAgent`: also to the
 * agent's voice, which takes much of the processor's time.
 */
export function installProbe(hearsAgent: boolean) {
  const LOUD = 0.01;
  /** Silence within one sentence is shorter than this, in milliseconds. */
  const PAUSE = 700;
  const heard = (): Heard => ({ loudest: 0, bursts: [] });
  const probe: Probe = { microphone: heard(), agent: heard(), violations: [], microphones: [] };
  window.storyProbe = probe;
  document.addEventListener('securitypolicyviolation', (event) => {
    probe.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
  });

  function listen(track: MediaStreamTrack, to: Heard) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      if (track.readyState === 'ended') {
        clearInterval(timer);
        context.close();
        return;
      }
      analyser.getFloatTimeDomainData(samples);
      const level = Math.sqrt(
        samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length,
      );
      to.loudest = Math.max(to.loudest, level);
      if (level < LOUD) return;
      const now = Date.now();
      const last = to.bursts[to.bursts.length - 1];
      if (last && now - last.to < PAUSE) last.to = now;
      else to.bursts.push({ from: now, to: now });
    }, 20);
  }

  if (navigator.mediaDevices) {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      for (const track of stream.getAudioTracks()) {
        probe.microphones.push(track.label);
        listen(track, probe.microphone);
      }
      return stream;
    };
  }
  if (!hearsAgent) return;
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener('track', ({ track }) => {
        if (track.kind === 'audio') listen(track, probe.agent);
      });
    }
  };
}
