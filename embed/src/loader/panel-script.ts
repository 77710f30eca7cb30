/**
 * Loads the panel script, which matters only when the window is opened, or when something failed.
 */
import type { PanelScript } from '../shared/panel';
import type { Target } from './tag';

/** Name of the panel script of this build; see `vite.loader.ts`. */
declare const PANEL_FILE: string;

/**
 * A browser may have kept this loader while the service got another panel script: then that one.
 * Browsers remember failed addresses: each further try has one of its own.
 */
export const importPanelScript = ({ service, id }: Target): Promise<PanelScript> =>
  import(/* @vite-ignore */ `${service}/public/embed/${id}/${PANEL_FILE}`).catch(
    () => import(/* @vite-ignore */ `${service}/public/embed/${id}/panel.js?${Date.now()}`),
  );
