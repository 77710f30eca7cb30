/** The call: a sphere that moves with whoever speaks, what the agent is doing, and three buttons. */
import { useEffect, useRef } from 'preact/hooks';
import type { Strings } from '../i18n';
import type { State } from '../state';
import { useSurface } from './context';
import { Icon } from './icons';

/** Part of the way that the picture goes to a new loudness in one frame; lower is calmer. */
const EASE = 0.25;

export function Voice({ state }: { state: State }) {
  const { strings, session } = useSurface();
  const orb = useRef<HTMLDivElement>(null);
  const activity = activityOf(state);

  useEffect(() => {
    let frame = 0;
    let shown = 0;
    const draw = () => {
      const { visitor, agent } = session.levels();
      const level = Math.max(state.muted ? 0 : visitor, agent);
      shown += (level - shown) * EASE;
      orb.current?.style.setProperty('--level', shown.toFixed(3));
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [session, state.muted]);

  return (
    <section class={`voice ${activity}`} aria-label={strings.talk}>
      <div class="orb" ref={orb} aria-hidden="true">
        <i />
        <i />
        <i />
      </div>
      <p>{labelOf(activity, strings)}</p>
      <div class="controls">
        <button
          type="button"
          class={state.muted ? 'round on' : 'round'}
          aria-pressed={state.muted}
          aria-label={strings.mute}
          onClick={() => session.setMuted(!state.muted)}
        >
          <Icon name={state.muted ? 'muted' : 'microphone'} />
        </button>
        <button
          type="button"
          class="round hang-up"
          aria-label={strings.end_call}
          onClick={() => session.stopVoice()}
        >
          <Icon name="phone" />
        </button>
      </div>
    </section>
  );
}

type Activity = 'connecting' | 'muted' | 'listening' | 'thinking' | 'speaking';

function activityOf({ phase, agent, muted }: State): Activity {
  if (phase !== 'live' || agent === 'absent' || agent === 'initializing') return 'connecting';
  if (agent === 'speaking' || agent === 'thinking') return agent;
  return muted ? 'muted' : 'listening';
}

function labelOf(activity: Activity, strings: Strings): string {
  return strings[activity];
}
