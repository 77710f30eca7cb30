/** The part of a widget's configuration that the loader draws, as the public endpoint gives it. */
import type { Chat, ConfigV1 } from '../generated/config';

export type { Palette } from '../generated/config';

export type Theme = ConfigV1['theme'];

export type LauncherConfig = Pick<
  ConfigV1,
  'theme' | 'locale' | 'trigger' | 'suggested_questions' | 'start_conversation_on_toggle'
> & {
  chat: Pick<Chat, 'title' | 'width' | 'height' | 'light_mode' | 'dark_mode'>;
};
