/** What every part of the view may need: the session, the configuration, the strings. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Config } from '../config';
import type { Session } from '../conversation/session';
import type { Strings } from '../i18n';

export interface Surface {
  session: Session;
  config: Config;
  strings: Strings;
  close(): void;
  /** Whether the window can be made larger: not where it takes the whole page. */
  canExpand: boolean;
}

export const SurfaceContext = createContext<Surface | null>(null);

export function useSurface(): Surface {
  const surface = useContext(SurfaceContext);
  if (!surface) throw new Error('a part of the view is used outside the window');
  return surface;
}
