/**
 * The widget's configuration as the document carries it: version 1, every default already filled in
 * by the service, so nothing here decides what a missing key means.
 */
import type {
  ConfigV1,
  Field,
  FormDefinition,
  RatingField,
  TextareaField,
} from '../generated/config';

export type { Field, FormDefinition, QuickAction } from '../generated/config';

export type Config = ConfigV1;

export type Mode = ConfigV1['default_mode'];

export type FieldType = Field['type'];

/** What the service writes into the document beside the script. */
export interface WindowData {
  widget_id: string;
  /** The origin that may frame this document, and the only one whose messages are accepted. */
  origin: string;
  config: Config;
}

/** The form that feedback without one of its own uses, as the service defines it. */
export function feedbackForm(
  config: Config,
  labels: { rating: string; comment: string },
): FormDefinition {
  const { form } = config.post_conversation_feedback;
  if (form) return form;
  const common = { placeholder: '', help: '' };
  const rating: RatingField = {
    ...common,
    id: 'rating',
    type: 'rating',
    label: labels.rating,
    required: true,
    max: 5,
  };
  const comment: TextareaField = {
    ...common,
    id: 'comment',
    type: 'textarea',
    label: labels.comment,
    required: false,
    min_length: 0,
    max_length: 4000,
  };
  return { id: 'feedback', name: '', title: '', submit_label: '', fields: [rating, comment] };
}
