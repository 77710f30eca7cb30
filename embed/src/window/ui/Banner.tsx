/** One sentence about the state of the conversation, with the visitor's next steps. */
import type { State } from '../conversation/window-state';
import { useSurface } from './context';
import { type Step, statusOf } from './status';

export function Banner({ state }: { state: State }) {
  const { strings, session, config } = useSurface();
  const status = statusOf(state, strings, config);
  if (!status) return null;
  const { text, urgent, steps, fallback } = status;
  const resume = () => session.continue();
  const startOver = () => session.startOver();
  const actions: Record<Step, (tap: { currentTarget: Element }) => void> = {
    resume,
    continue_here: resume,
    try_again: resume,
    start_over: startOver,
    start_new: startOver,
    try_now: () => session.retryNow(),
    continue_call: ({ currentTarget }) => {
      // This button goes away; on the dialog, the focus waits for the call and is in no input.
      currentTarget.closest<HTMLElement>('.window')?.focus();
      session.startCall();
    },
    play_sound: () => session.playSound(),
  };
  return (
    <div class={urgent ? 'banner urgent' : 'banner'} role={urgent ? 'alert' : 'status'}>
      <p dir="auto">
        {text} {fallback && <Fallback />}
      </p>
      {steps && (
        <div class="choices">
          {steps.map((step, index) => (
            <button
              type="button"
              key={step}
              class={index === steps.length - 1 ? 'small primary' : 'small'}
              onClick={actions[step]}
            >
              {strings[step]}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Fallback() {
  const { config, strings } = useSurface();
  const { url } = config.fallback;
  return url ? (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {strings.fallback_link}
    </a>
  ) : null;
}
