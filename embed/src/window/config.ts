/**
 * The widget's configuration as the document carries it: version 1, every default already filled in
 * by the service, so nothing here decides what a missing key means.
 */
import type { ConfigV1, FormDefinition, PaletteColors } from '../generated/config';

export type { Field, FormDefinition, QuickAction } from '../generated/config';

export interface Config extends ConfigV1 {
  /** What stands out from the window where the colors of the palettes do not. */
  edges: { light_mode: PaletteColors; dark_mode: PaletteColors };
}

export type Mode = ConfigV1['default_mode'];

/** What the service writes into the document beside the script. */
export interface WindowData {
  widget_id: string;
  /** The origin that may frame this document, and the only one whose messages are accepted. */
  origin: string;
  config: Config;
  /** Whether this is a draft, which the page may replace. */
  preview?: boolean;
}

/** The feedback form; the built-in one has empty labels, which are localized by the ids. */
export function feedbackForm(
  config: Config,
  labels: { rating: string; comment: string },
): FormDefinition {
  const { form } = config.post_conversation_feedback;
  const localized: Record<string, string> = labels;
  return {
    ...form,
    fields: form.fields.map((field) => ({
      ...field,
      label: field.label || localized[field.id] || '',
    })),
  };
}
