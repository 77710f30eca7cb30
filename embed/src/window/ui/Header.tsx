/** Who one talks to, and the ways out: end the conversation, close the window. */
import { useState } from 'preact/hooks';
import { isUnderWay, type State } from '../state';
import { Avatar } from './Avatar';
import { useSurface } from './context';
import { Icon } from './icons';

export function Header({ state }: { state: State }) {
  const { config, strings, session, close } = useSurface();
  const [asking, setAsking] = useState(false);
  const canEnd = isUnderWay(state) && state.conversationId !== null;
  const isPresent = state.phase === 'live' && state.agent !== 'absent' && !state.silent;
  return (
    <header class="header">
      <Avatar />
      <div class="heading">
        <h1 id="title">{config.chat.title || strings.chat}</h1>
        <p class={isPresent ? 'presence' : ''}>{config.chat.subtitle || strings.subtitle}</p>
      </div>
      {canEnd && !asking && (
        <button
          type="button"
          class="plain"
          aria-label={strings.end}
          onClick={() => setAsking(true)}
        >
          <Icon name="more" />
        </button>
      )}
      <button type="button" class="plain" aria-label={strings.close} onClick={close}>
        <Icon name="close" />
      </button>
      {canEnd && asking && (
        <div class="confirm">
          <button type="button" class="small" onClick={() => setAsking(false)}>
            {strings.cancel}
          </button>
          <button
            type="button"
            class="small danger"
            onClick={() => {
              setAsking(false);
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
