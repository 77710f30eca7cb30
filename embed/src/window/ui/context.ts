/** What every part of the view may need: the session, the configuration, the visitor's words. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Config } from '../config';
import type { Strings } from '../i18n';
import type { Session } from '../session';

export interface Surface {
  session: Session;
  config: Config;
  strings: Strings;
  close(): void;
}

export const SurfaceContext = createContext<Surface | null>(null);

export function useSurface(): Surface {
  const surface = useContext(SurfaceContext);
  if (!surface) throw new Error('a part of the view is used outside of the window');
  return surface;
}
