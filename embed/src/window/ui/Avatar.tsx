/** The agent's picture: the configured one, or the first letter of the title. */
import { useState } from 'preact/hooks';
import { useSurface } from './context';
import { Icon } from './icons';

export function Avatar() {
  const { config } = useSurface();
  const [broken, setBroken] = useState(false);
  const { avatar_url, logo_url, title } = config.chat;
  const address = avatar_url ?? logo_url;
  const initial = title.trim().match(/[\p{L}\p{N}]/u)?.[0];
  return (
    <span class="avatar" aria-hidden="true">
      {address && !broken ? (
        <img src={address} alt="" onError={() => setBroken(true)} />
      ) : (
        (initial?.toUpperCase() ?? <Icon name="chat" />)
      )}
    </span>
  );
}
