/**
 * The widget's configuration as the document carries it: version 1, every default already filled in
 * by the service, so nothing here decides what a missing key means.
 */
import type { ModeColors, Theme } from '../shared/launcher-config';

export type Mode = 'text' | 'voice';

export type FieldType =
  | 'text'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'url'
  | 'number'
  | 'date'
  | 'select'
  | 'multiselect'
  | 'checkbox'
  | 'rating';

export interface Field {
  id: string;
  type: FieldType;
  label: string;
  required?: boolean;
  placeholder?: string | null;
  help?: string | null;
  default?: unknown;
  min_length?: number | null;
  max_length?: number | null;
  min?: number | null;
  max?: number | null;
  step?: number | null;
  options?: { value: string; label: string }[];
}

export interface FormDefinition {
  id: string;
  name?: string | null;
  title?: string | null;
  submit_label?: string | null;
  fields: Field[];
}

export type QuickActionStep =
  | { type: 'send_message'; text: string }
  | { type: 'open_url'; url: string }
  | { type: 'start_voice' }
  | { type: 'show_form'; form_id: string };

export interface QuickAction {
  id: string;
  label: string;
  action: QuickActionStep;
}

export interface Config {
  theme: Theme;
  locale: string | null;
  trigger: { shape: 'circle' | 'square' };
  chat: {
    title: string;
    subtitle: string;
    greeting: string;
    placeholder: string;
    avatar_url: string | null;
    logo_url: string | null;
    avatar_shape: 'circle' | 'square';
    light_mode: ModeColors;
    dark_mode: ModeColors;
  };
  modes: { text: boolean; voice: boolean };
  default_mode: Mode;
  start_conversation_on_toggle: boolean;
  suggested_questions: string[];
  quick_actions: QuickAction[];
  notice: { text: string | null; privacy_url: string | null; consent_required: boolean };
  fallback: { text: string | null; url: string | null };
  pre_conversation_form: FormDefinition | null;
  pre_conversation_show_once: boolean;
  forms: FormDefinition[];
  post_conversation_feedback: {
    enabled: boolean;
    thank_you_text: string;
    form: FormDefinition | null;
  };
}

/** What the service writes into the document beside the script. */
export interface Boot {
  widget_id: string;
  /** The page that may frame this document; the only one that messages are taken from. */
  origin: string;
  config: Config;
}

/** The form that feedback without one of its own uses, as the service defines it. */
export function feedbackForm(
  config: Config,
  labels: { rating: string; comment: string },
): FormDefinition {
  return (
    config.post_conversation_feedback.form ?? {
      id: 'feedback',
      fields: [
        { id: 'rating', type: 'rating', label: labels.rating, required: true, max: 5 },
        { id: 'comment', type: 'textarea', label: labels.comment, max_length: 4000 },
      ],
    }
  );
}
