/** The part of a widget's configuration that the loader draws, as the public endpoint gives it. */
import type { LauncherConfig } from '../generated/config';

export type { LauncherConfig, Palette } from '../generated/config';

export type Theme = LauncherConfig['theme'];
