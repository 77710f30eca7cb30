/** A configuration as the service hands it to the window: every default filled in. */
import type { Config } from '../src/window/config';

const mode = () => ({
  background_color: { user_message: '', controls_button: '' },
  text_color: { user_message: '', controls_button: '' },
});

export function config(changes: Partial<Config> = {}): Config {
  return {
    theme: 'system',
    locale: null,
    trigger: { shape: 'circle' },
    chat: {
      title: 'Shop',
      subtitle: '',
      greeting: '',
      placeholder: '',
      avatar_url: null,
      logo_url: null,
      avatar_shape: 'circle',
      light_mode: mode(),
      dark_mode: mode(),
    },
    modes: { text: true, voice: true },
    default_mode: 'text',
    start_conversation_on_toggle: false,
    suggested_questions: [],
    quick_actions: [],
    notice: { text: null, privacy_url: null, consent_required: false },
    fallback: { text: null, url: null },
    pre_conversation_form: null,
    pre_conversation_show_once: true,
    forms: [],
    post_conversation_feedback: { enabled: false, thank_you_text: '', form: null },
    ...changes,
  };
}
