/** One sentence about the state of things, with the one or two steps that lead on from there. */
import type { ComponentChildren } from 'preact';
import type { Strings } from '../i18n';
import type { State } from '../state';
import { useSurface } from './context';

interface Choice {
  label: string;
  act(): void;
}

export function Banner({ state }: { state: State }) {
  const { strings, session, config } = useSurface();
  const goOn = (label: string): Choice => ({ label, act: () => session.goOn() });
  const retry: Choice = { label: strings.retry, act: () => session.retryNow() };
  const fresh: Choice = { label: strings.fresh, act: () => session.startOver() };

  if (state.phase === 'offered')
    return (
      <Bar
        text={state.elsewhere ? strings.elsewhere : strings.offer}
        choices={[fresh, goOn(state.elsewhere ? strings.here : strings.go_on)]}
      />
    );
  if (state.phase === 'taken') return <Bar text={strings.taken} choices={[goOn(strings.here)]} />;
  if (state.phase === 'ended')
    return (
      <Bar
        text={
          state.feedback === 'given'
            ? config.post_conversation_feedback.thank_you_text || strings.thanks
            : strings.ended
        }
        choices={[{ label: strings.new, act: () => session.startOver() }]}
      />
    );
  if (state.phase === 'refused')
    return (
      <Bar urgent text={refusalText(state.refusal, strings)} choices={[retry]}>
        <Fallback />
      </Bar>
    );
  if (state.phase === 'retrying')
    return (
      <Bar urgent text={strings.unreachable} choices={[retry]}>
        <Fallback />
      </Bar>
    );
  if (state.phase === 'reconnecting') return <Bar urgent text={strings.reconnecting} />;
  if (state.silent)
    return (
      <Bar urgent text={config.fallback.text || strings.silent} choices={[goOn(strings.again)]}>
        <Fallback />
      </Bar>
    );
  if (state.microphoneProblem)
    return <Bar urgent text={strings[`microphone_${state.microphoneProblem}`]} />;
  if (state.asking) return <Bar text={strings.asking} />;
  if ((state.phase === 'starting' || state.phase === 'connecting') && state.mode === 'text')
    return <Bar text={strings.connecting} />;
  return null;
}

function refusalText(code: string | null, strings: Strings): string {
  return code?.includes('rate') || code?.includes('limit') ? strings.busy : strings.unavailable;
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

function Bar(props: {
  text: string;
  urgent?: boolean;
  choices?: Choice[];
  children?: ComponentChildren;
}) {
  return (
    <div class={props.urgent ? 'banner urgent' : 'banner'} role={props.urgent ? 'alert' : 'status'}>
      <p dir="auto">
        {props.text} {props.children}
      </p>
      {props.choices && (
        <div class="choices">
          {props.choices.map(({ label, act }, index) => (
            <button
              type="button"
              key={label}
              class={index === (props.choices?.length ?? 0) - 1 ? 'small primary' : 'small'}
              onClick={act}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
