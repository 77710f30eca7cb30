/** The call: a sphere that moves with whoever speaks, what the agent is doing, and two buttons. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { State } from '../conversation/window-state';
import { activityOf } from './activity';
import { useSurface } from './context';
import { isFocusFree } from './focus';
import { Icon } from './icons';

type Extras = typeof import('./voice-extras');

export function Voice({ state }: { state: State }) {
  const { strings, session } = useSurface();
  const orb = useRef<HTMLDivElement>(null);
  const mute = useRef<HTMLButtonElement>(null);
  const isMuted = state.voice.name === 'on' && state.voice.isMuted;
  const activity = activityOf(state);
  const [extras, setExtras] = useState<Extras | null>(null);
  const [hasFailed, setFailed] = useState(false);

  useEffect(() => {
    // Without this code the sphere rests, and there is no choice, as with a single microphone.
    import('./voice-extras').then(setExtras, () => {});
  }, []);

  // It is about one choice, and the call continues.
  useEffect(() => setFailed(false), [activity]);

  useLayoutEffect(() => {
    if (isFocusFree()) mute.current?.focus();
  }, []);

  useEffect(() => {
    if (!extras || !orb.current) return;
    return extras.moveOrb(orb.current, () => {
      const { visitor, agent } = session.levels();
      return Math.max(isMuted ? 0 : visitor, agent);
    });
  }, [session, isMuted, extras]);

  return (
    <section class={`voice ${activity}`} aria-label={strings.call}>
      <div class="orb" ref={orb} aria-hidden="true">
        <i />
        <i />
        <i />
      </div>
      <p>{hasFailed ? <span role="alert">{strings.microphone_busy}</span> : strings[activity]}</p>
      <div class="controls">
        {extras && <extras.Microphones setFailed={setFailed} />}
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
