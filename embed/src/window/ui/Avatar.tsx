/** The agent's picture: the configured one, or the first letter of the title. */
import { useState } from 'preact/hooks';
import { useSurface } from './context';
import { Icon } from './icons';

export function Avatar() {
  const { config } = useSurface();
  const [broken, setBroken] = useState(false);
  const { avatar_url, title } = config.chat;
  const initial = title.trim().match(/[\p{L}\p{N}]/u)?.[0];
  return (
    <span class="avatar" aria-hidden="true">
      {avatar_url && !broken ? (
        <img src={avatar_url} alt="" onError={() => setBroken(true)} />
      ) : (
        (initial?.toUpperCase() ?? <Icon name="chat" />)
      )}
    </span>
  );
}

/** The owner's logo, whole; the agent's picture where there is none. */
export function Logo() {
  const { config } = useSurface();
  const [broken, setBroken] = useState(false);
  const { logo_url } = config.chat;
  if (!logo_url || broken) return <Avatar />;
  return <img class="logo" src={logo_url} alt="" onError={() => setBroken(true)} />;
}
