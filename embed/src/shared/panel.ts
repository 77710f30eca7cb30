/**
 * What the loader and its panel script (the file that it loads when the window is first opened)
 * expect of each other. A browser may run the loader of an earlier build with the panel script of
 * this one: add to these types, and change nothing that is there.
 */
import type { LauncherConfig } from './launcher-config';
import type { Context, Emit, FrameOptions } from './messages';

/**
 * The window is not there; try again; close; "New messages". A service of an earlier build sends
 * three.
 */
export type Words = [failed: string, tryAgain: string, close: string, newMessages?: string];

/** What the panel script may read and do of a widget. */
export interface Launcher {
  readonly service: string;
  readonly id: string;
  readonly config: LauncherConfig;
  readonly words: Words;
  /** The element on the page, its closed root, and in it the box and the button. */
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  readonly box: HTMLElement;
  readonly button: HTMLElement;
  readonly options: FrameOptions & { context?: string | Context; titleBadge?: string };
  /** Aborted when the widget is destroyed. */
  readonly signal: AbortSignal;
  /** Calls the service about this widget; throws the problem document of a refusal. */
  call(path: string, request?: RequestInit): Promise<{ ticket?: string }>;
  /** Opens or closes the window, as the page and the visitor do. */
  show(open: boolean): void;
  readonly emit: Emit;
  /** Writes a reason to the console. */
  warn(reason: string): void;
  /** Removes the suggested questions for good. */
  dismiss(): void;
  /** Names of events that the page listens to, as it writes them; the panel empties it. */
  readonly eventNames?: Set<string>;
}

/** What the loader does with the window. */
export interface Panel {
  /** Where the element of the widget belongs. */
  parent(): HTMLElement;
  /** The page had removed the element: the frame is a new one. */
  restore(): void;
  show(open: boolean, question?: string): void;
  setContext(context: Context): void;
  /** The browser had kept the page: the window becomes as the last page of this tab had it. */
  back?(): void;
}

/** The exports of the panel script. */
export interface PanelScript {
  createPanel(launcher: Launcher): Panel;
  /**
   * Finds out why the service says nothing about the widget, for the console. `code` is that of a
   * refusal; without one, no answer of the service has arrived.
   */
  findReason(service: string, id: string, code?: string): Promise<string>;
}
