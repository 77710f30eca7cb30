/** The call: a sphere that moves with whoever speaks, what the agent is doing, and two buttons. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { State } from '../conversation/window-state';
import { watchMicrophones } from '../microphone';
import { activityOf } from './activity';
import { useSurface } from './context';
import { Icon } from './icons';

/** How far the sphere moves toward a new loudness in one frame; lower is calmer. */
const EASING = 0.25;

export function Voice({ state }: { state: State }) {
  const { strings, session } = useSurface();
  const orb = useRef<HTMLDivElement>(null);
  const mute = useRef<HTMLButtonElement>(null);
  const isMuted = state.voice.name === 'on' && state.voice.isMuted;
  const activity = activityOf(state);

  useLayoutEffect(() => {
    if (document.hasFocus()) mute.current?.focus();
  }, []);

  useEffect(() => {
    let frame = 0;
    let shown = 0;
    const draw = () => {
      const { visitor, agent } = session.levels();
      const level = Math.max(isMuted ? 0 : visitor, agent);
      shown += (level - shown) * EASING;
      orb.current?.style.setProperty('--level', shown.toFixed(3));
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [session, isMuted]);

  return (
    <section class={`voice ${activity}`} aria-label={strings.talk}>
      <div class="orb" ref={orb} aria-hidden="true">
        <i />
        <i />
        <i />
      </div>
      <p>{strings[activity]}</p>
      <div class="controls">
        <Microphones />
        <button
          type="button"
          ref={mute}
          class={isMuted ? 'round on' : 'round'}
          aria-pressed={isMuted}
          aria-label={strings.mute}
          onClick={() => session.setMuted(!isMuted)}
        >
          <Icon name={isMuted ? 'muted' : 'microphone'} />
        </button>
        <button
          type="button"
          class="round hang-up"
          aria-label={strings.end_call}
          onClick={() => session.endCall()}
        >
          <Icon name="phone" />
        </button>
      </div>
    </section>
  );
}

interface Devices {
  all: { id: string; label: string }[];
  current: string;
}

/** Which microphone is used, where there are several: the browser's list behind a button. */
function Microphones() {
  const { strings, session } = useSurface();
  const [{ all, current }, setDevices] = useState<Devices>({ all: [], current: '' });
  useEffect(() => {
    const stop = new AbortController();
    const update = () => {
      session.microphones().then((found) => stop.signal.aborted || setDevices(found));
    };
    update();
    watchMicrophones(update, stop.signal);
    return () => stop.abort();
  }, [session]);
  if (all.length < 2) return null;
  return (
    <label class="round devices">
      <Icon name="down" />
      <select
        aria-label={strings.choose_microphone}
        value={current}
        onChange={({ currentTarget: { value } }) => {
          setDevices({ all, current: value });
          session.chooseMicrophone(value);
        }}
      >
        {all.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
