/**
 * The effective config of a widget, version 1, with every default filled in.
 *
 * Generated from the definitions of `widget-core`; change those and run
 * `cargo xtask gen`.
 */

/** The look and behavior of a widget, version 1. */
export interface ConfigV1 {
  /** Which palette the widget is drawn in; `system` follows the visitor's. */
  theme: 'system' | 'light' | 'dark';
  /** The language of the widget's own words, as a BCP 47 tag; null: the visitor's browser. */
  locale: string | null;
  /** The launcher: the bubble on the page before anything is opened. */
  trigger: Trigger;
  /** The window of the conversation. */
  chat: Chat;
  /** The ways in which a visitor can talk to the agent; at least one. */
  modes: Modes;
  /**
   * The mode in which a conversation starts; it must be enabled. Left out: `text`, or the only
   * enabled mode.
   */
  default_mode: 'text' | 'voice';
  /** Whether opening the window starts the conversation. */
  start_conversation_on_toggle: boolean;
  /** Questions above the closed launcher; a tap opens the window and sends it. */
  suggested_questions: string[];
  /** Buttons inside the window. */
  quick_actions: QuickAction[];
  /** What visitors read before the first message. */
  notice: Notice;
  /** What visitors read when no agent answers. */
  fallback: Fallback;
  /**
   * A form that must be submitted before the conversation; its values go into the conversation's
   * custom metadata.
   */
  pre_conversation_form: FormDefinition | null;
  /**
   * Whether a visitor is asked the form before the conversation only once; a changed form is asked
   * again, filled in with the earlier answers.
   */
  pre_conversation_show_once: boolean;
  /** Forms that the agent can show in the middle of a conversation. */
  forms: FormDefinition[];
  /** What the visitor is asked after the conversation. */
  post_conversation_feedback: PostConversationFeedback;
}

/** The launcher: the bubble on the page before anything is opened. */
export interface Trigger {
  /** The outline of the launcher. */
  shape: 'circle' | 'square';
  /** The side length in CSS pixels; presets: XS 40, S 48, M 56, L 64, XL 72. */
  size: number;
  /** The corner of the page. */
  position: 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';
  /** The distance from the side of the page, in CSS pixels. */
  offset_x: number;
  /** The distance from the top or bottom of the page, in CSS pixels. */
  offset_y: number;
  /** The place in the stack of the page's layers. */
  z_index: number;
  /** The picture on the launcher; null: the built-in one. */
  icon_url: string | null;
  /** Words beside the picture; null: none. */
  label: string | null;
}

/** The window of the conversation. */
export interface Chat {
  /** The heading. */
  title: string;
  /** The line under the heading. */
  subtitle: string;
  /** What is shown before the first message. */
  greeting: string;
  /** What the empty input says; empty: a localized default. */
  placeholder: string;
  /** The picture of the agent; null: none. */
  avatar_url: string | null;
  /** The picture in the heading; null: none. */
  logo_url: string | null;
  /** The outline of the agent's picture. Left out: that of the launcher. */
  avatar_shape: 'circle' | 'square';
  /** The width in CSS pixels; on a screen less than 480 wide or high the window fills it. */
  width: number;
  /** The height in CSS pixels; on a screen less than 480 wide or high the window fills it. */
  height: number;
  /** The colors of the light palette. */
  light_mode: Palette;
  /** The colors of the dark palette. */
  dark_mode: Palette;
}

/**
 * The colors of one palette. A contrast below 4.5:1 between text and background is a warning;
 * where only the background is given, a readable text color is derived.
 */
export interface Palette {
  /** The backgrounds. */
  background_color: PaletteColors;
  /** The texts on them. */
  text_color: PaletteColors;
}

/** The colors of the parts that can be colored. */
export interface PaletteColors {
  /**
   * The visitor's messages; empty background: the built-in one, and in the dark palette that of
   * the light one, made lighter if needed; empty text: one that is readable on the background.
   */
  user_message: string;
  /**
   * The launcher and the buttons; empty background: the built-in one, and in the dark palette that
   * of the light one, made lighter if needed; empty text: one that is readable on the background.
   */
  controls_button: string;
}

/** The ways in which a visitor can talk to the agent; at least one must be on. */
export interface Modes {
  /** Typing. */
  text: boolean;
  /** Speaking. */
  voice: boolean;
}

/** A button inside the window. */
export interface QuickAction {
  /** The id of the button, unique in the list. */
  id: string;
  /** What the button says. */
  label: string;
  /** What the button does. */
  action: Action;
}

/** What a quick action does. */
export type Action = SendMessageAction | OpenUrlAction | StartVoiceAction | ShowFormAction;

/** Sends a message in the visitor's name. */
export interface SendMessageAction {
  /** What the button does. */
  type: 'send_message';
  /** The message. */
  text: string;
}

/** Opens an address in a new tab. */
export interface OpenUrlAction {
  /** What the button does. */
  type: 'open_url';
  /** The address. */
  url: string;
}

/** Changes to the voice mode. */
export interface StartVoiceAction {
  /** What the button does. */
  type: 'start_voice';
}

/** Shows one of the config's `forms`. */
export interface ShowFormAction {
  /** What the button does. */
  type: 'show_form';
  /** The id of one of the config's `forms`. */
  form_id: string;
}

/** What visitors read before the first message. */
export interface Notice {
  /**
   * Words of the owner, shown after the fixed, localized sentence that the visitor talks to an AI
   * agent; left out: that sentence alone.
   */
  text: string | null;
  /** Where the privacy policy is; null: nowhere. */
  privacy_url: string | null;
  /** Whether the visitor must accept before a conversation starts. */
  consent_required: boolean;
}

/** What visitors read when no agent answers: where else to turn. */
export interface Fallback {
  /** The words; left out: localized ones. */
  text: string | null;
  /** Where to turn; null: nowhere. */
  url: string | null;
}

/** A form: its texts and its fields. */
export interface FormDefinition {
  /** The id under which the values are stored and by which the agent asks for the form. */
  id: string;
  /** What the form is called among the owner's forms; not shown to visitors. */
  name: string;
  /** The heading; empty: none. */
  title: string;
  /** The text of the button; empty: a localized "Send". */
  submit_label: string;
  /** The fields in their order, with ids of their own. */
  fields: Field[];
}

/** One question of a form. */
export type Field =
  | TextField
  | TextareaField
  | EmailField
  | PhoneField
  | UrlField
  | NumberField
  | DateField
  | SelectField
  | MultiselectField
  | CheckboxField
  | RatingField;

/** One line of text. */
export interface TextField {
  /** What kind of answer is accepted. */
  type: 'text';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The shortest answer, in characters. */
  min_length: number;
  /** The longest answer, in characters. */
  max_length: number;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** Several lines of text. */
export interface TextareaField {
  /** What kind of answer is accepted. */
  type: 'textarea';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The shortest answer, in characters. */
  min_length: number;
  /** The longest answer, in characters. */
  max_length: number;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** An e-mail address. */
export interface EmailField {
  /** What kind of answer is accepted. */
  type: 'email';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** An international telephone number, such as `+34 912 345 678`; stored in E.164. */
export interface PhoneField {
  /** What kind of answer is accepted. */
  type: 'phone';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** An `http` or `https` URL; one without a scheme gets `https://`. */
export interface UrlField {
  /** What kind of answer is accepted. */
  type: 'url';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** A number. */
export interface NumberField {
  /** What kind of answer is accepted. */
  type: 'number';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The smallest number. */
  min?: number;
  /** The largest number. */
  max?: number;
  /** Numbers are this far from each other, counted from `min` or 0. */
  step?: number;
  /** What is filled in at first: a value that the field accepts. */
  default?: number;
}

/** A calendar date, `YYYY-MM-DD`. */
export interface DateField {
  /** What kind of answer is accepted. */
  type: 'date';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** One option of a `select` or `multiselect`. */
export interface SelectOption {
  /** What is stored. */
  value: string;
  /** What is shown. */
  label: string;
}

/** One of some options. */
export interface SelectField {
  /** What kind of answer is accepted. */
  type: 'select';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The options in their order, with values of their own. */
  options: SelectOption[];
  /** What is filled in at first: a value that the field accepts. */
  default?: string;
}

/** Any number of some options. */
export interface MultiselectField {
  /** What kind of answer is accepted. */
  type: 'multiselect';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The options in their order, with values of their own. */
  options: SelectOption[];
  /** What is filled in at first: a value that the field accepts. */
  default?: string[];
}

/** Yes or no; a required one must be yes. */
export interface CheckboxField {
  /** What kind of answer is accepted. */
  type: 'checkbox';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** What is filled in at first: a value that the field accepts. */
  default?: boolean;
}

/** A number of stars from 1 on. */
export interface RatingField {
  /** What kind of answer is accepted. */
  type: 'rating';
  /** The key of the value in a submission. */
  id: string;
  /** The question. */
  label: string;
  /** Whether an answer is needed. */
  required: boolean;
  /** An example inside the empty field. */
  placeholder: string;
  /** A sentence under the field. */
  help: string;
  /** The highest number of stars. */
  max: number;
  /** What is filled in at first: a value that the field accepts. */
  default?: number;
}

/** What the visitor is asked after the conversation. */
export interface PostConversationFeedback {
  /** Whether anything is asked. */
  enabled: boolean;
  /** What is said when the answer has been sent. */
  thank_you_text: string;
  /**
   * The form; null: a rating from 1 to 5 (`rating`) and a comment (`comment`), whose labels are
   * localized.
   */
  form: FormDefinition;
}

/** Where else the visitor can turn when the window cannot be loaded. */
export interface LauncherFallback {
  /** Where to turn; null: nowhere. */
  url: string | null;
  /** The words; left out: localized ones. */
  text: string | null;
}

/** What the launcher draws of the window: the name, size and colors of its frame. */
export interface LauncherChat {
  /** The heading. */
  title: string;
  /** The width in CSS pixels; on a screen less than 480 wide or high the window fills it. */
  width: number;
  /** The height in CSS pixels; on a screen less than 480 wide or high the window fills it. */
  height: number;
  /** The colors of the light palette. */
  light_mode: Palette;
  /** The colors of the dark palette. */
  dark_mode: Palette;
}

/** What the launcher draws on a host page. Anybody may see it. */
export interface LauncherConfig {
  /** Which palette the widget is drawn in; `system` follows the visitor's. */
  theme: 'system' | 'light' | 'dark';
  /** The language of the widget's own words, as a BCP 47 tag; null: the visitor's browser. */
  locale: string | null;
  /** The launcher: the bubble on the page before anything is opened. */
  trigger: Trigger;
  /** Questions above the closed launcher; a tap opens the window and sends it. */
  suggested_questions: string[];
  /** Whether opening the window starts the conversation. */
  start_conversation_on_toggle: boolean;
  /** What visitors read when no agent answers. */
  fallback: LauncherFallback;
  /** The window of the conversation. */
  chat: LauncherChat;
}
