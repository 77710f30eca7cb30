/** The call: a sphere that moves with whoever speaks, what the agent is doing, and two buttons. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { State } from '../conversation/window-state';
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
