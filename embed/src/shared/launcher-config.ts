/** The part of a widget's configuration that the loader draws, as the public endpoint gives it. */

export type Theme = 'system' | 'light' | 'dark';

export type Corner = 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';

/** Colours of one mode; an empty string means the built-in default of that mode. */
export interface ModeColors {
  background_color: { user_message: string; controls_button: string };
  text_color: { user_message: string; controls_button: string };
}

export interface Trigger {
  shape: 'circle' | 'square';
  /** Edge in CSS pixels. */
  size: number;
  position: Corner;
  offset_x: number;
  offset_y: number;
  z_index: number;
  icon_url: string | null;
  label: string | null;
}

export interface LauncherConfig {
  theme: Theme;
  locale: string | null;
  trigger: Trigger;
  chat: {
    title: string;
    width: number;
    height: number;
    light_mode: ModeColors;
    dark_mode: ModeColors;
  };
  suggested_questions: string[];
  start_conversation_on_toggle: boolean;
}
