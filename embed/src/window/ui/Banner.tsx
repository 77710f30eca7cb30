/** One sentence about the state of things, with the one or two steps that lead on from there. */
import type { State } from '../state';
import { useSurface } from './context';
import { type Step, statusOf } from './status';

export function Banner({ state }: { state: State }) {
  const { strings, session, config } = useSurface();
  const status = statusOf(state, strings, config);
  if (!status) return null;
  const { text, urgent, steps, fallback } = status;
  const goOn = () => session.goOn();
  const startOver = () => session.startOver();
  const acts: Record<Step, () => void> = {
    go_on: goOn,
    here: goOn,
    again: goOn,
    fresh: startOver,
    new: startOver,
    retry: () => session.retryNow(),
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
              onClick={acts[step]}
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
      {strings.elsewhere_link}
    </a>
  ) : null;
}
