/** Configurations and forms as the service writes them for the window: with every default. */
import { vi } from 'vitest';
import type { Config, Field, FormDefinition } from '../src/window/config';

const mode = () => ({
  background_color: { user_message: '#2450d8', controls_button: '#2450d8' },
  text_color: { user_message: '#ffffff', controls_button: '#ffffff' },
});

/** The built-in feedback form, with labels for the window to localize. */
const feedbackForm = (): FormDefinition => ({
  id: 'feedback',
  name: '',
  title: '',
  submit_label: '',
  fields: [
    field({ id: 'rating', type: 'rating', label: '', required: true, max: 5 }),
    field({ id: 'comment', type: 'textarea', label: '' }),
  ],
});

export function config(changes: Partial<Config> = {}): Config {
  return {
    theme: 'system',
    locale: null,
    trigger: {
      shape: 'circle',
      size: 56,
      position: 'bottom-right',
      offset_x: 20,
      offset_y: 20,
      z_index: 1,
      icon_url: null,
      label: null,
    },
    chat: {
      title: 'Shop',
      subtitle: '',
      greeting: '',
      placeholder: '',
      avatar_url: null,
      logo_url: null,
      avatar_shape: 'circle',
      width: 400,
      height: 640,
      light_mode: mode(),
      dark_mode: mode(),
    },
    edges: {
      light_mode: { user_message: '#2450d8', controls_button: '#2450d8' },
      dark_mode: { user_message: '#7d97e8', controls_button: '#7d97e8' },
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
    post_conversation_feedback: { enabled: false, thank_you_text: '', form: feedbackForm() },
    ...changes,
  };
}

/** A field with defaults for everything that a test does not set. */
export function field(
  changes: { id: string; type: Field['type'] } & Record<string, unknown>,
): Field {
  const rest = { label: 'Label', required: false, placeholder: '', help: '' };
  const lengths = { min_length: 0, max_length: 4000 };
  return { ...rest, ...(/^text/.test(changes.type) && lengths), ...changes } as Field;
}

export function form(id: string, fields: Field[]): FormDefinition {
  return { id, name: '', title: '', submit_label: '', fields };
}

/** Counts the objects of a class of `Intl` that are built from now on. */
export function countBuilt(name: 'DateTimeFormat' | 'Segmenter') {
  const onBuilt = vi.fn();
  const original = Intl[name];
  const construct = (target: typeof original, options: []) => {
    onBuilt();
    return new target(...options);
  };
  Object.assign(Intl, { [name]: new Proxy(original, { construct }) });
  return { onBuilt, restore: () => void Object.assign(Intl, { [name]: original }) };
}
