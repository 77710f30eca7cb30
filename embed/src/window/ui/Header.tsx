/** The agent's name, and the ways out: end the conversation, close the window. */
import { useState } from 'preact/hooks';
import { isUnderWay, type State } from '../conversation/window-state';
import { Avatar } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';

export function Header({ state }: { state: State }) {
  const { config, strings, session, close } = useSurface();
  const [isConfirming, setConfirming] = useState(false);
  const canEnd = isUnderWay(state) && state.conversationId !== null;
  const { phase } = state;
  const isPresent = phase.name === 'live' && phase.agent !== 'absent' && !phase.isSilent;
  return (
    <header class="header">
      <Avatar />
      <div class="heading">
        <h1 id="title">{config.chat.title || strings.chat}</h1>
        <p class={isPresent ? 'presence' : ''}>{config.chat.subtitle || strings.subtitle}</p>
      </div>
      {canEnd && !isConfirming && (
        <button
          type="button"
          class="plain"
          aria-label={strings.end}
          onClick={() => setConfirming(true)}
        >
          <Icon name="more" />
        </button>
      )}
      <button type="button" class="plain" aria-label={strings.close} onClick={close}>
        <Icon name="close" />
      </button>
      {canEnd && isConfirming && (
        <div class="confirm">
          <button type="button" class="small" onClick={() => setConfirming(false)}>
            {strings.cancel}
          </button>
          <button
            type="button"
            class="small danger"
            onClick={() => {
              setConfirming(false);
              session.end();
            }}
          >
            {strings.end}
          </button>
        </div>
      )}
    </header>
  );
}
