/** The whole window, drawn from one state. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isPast, modeOf, type State } from '../conversation/window-state';
import { Banner } from './Banner';
import { Composer } from './Composer';
import { type Surface, SurfaceContext, useSurface } from './context';
import { FormSheet } from './FormSheet';
import { Header } from './Header';
import { Consent, Notice } from './Notice';
import { QuickActions } from './QuickActions';
import { Transcript } from './Transcript';
import { Voice } from './Voice';

export function App(surface: Surface) {
  const { session } = surface;
  const [state, setState] = useState<State>(session.state);
  const root = useRef<HTMLDivElement>(null);
  // In the layout phase: a plain effect would run later, and miss changes in between.
  useLayoutEffect(() => session.subscribe(setState), [session]);
  const asksFeedback = state.phase.name === 'ended' && state.phase.feedback === 'asked';

  return (
    <SurfaceContext.Provider value={surface}>
      <div
        ref={root}
        class={`window ${state.phase.name}`}
        role="dialog"
        aria-labelledby="title"
        onKeyDown={(event) => {
          if (event.key === 'Escape' && !event.isComposing) surface.close();
          if (event.key === 'Tab' && root.current) keepInside(root.current, event);
        }}
      >
        <Header state={state} />
        {state.form || asksFeedback ? <FormSheet state={state} /> : <Transcript state={state} />}
        <Footer state={state} />
      </div>
    </SurfaceContext.Provider>
  );
}

function Footer({ state }: { state: State }) {
  const { config } = useSurface();
  const isOver = isPast(state) || state.phase.name === 'continued-elsewhere';
  const mode = modeOf(state);
  return (
    <footer class="footer">
      <Banner state={state} />
      {mode === 'voice' && !state.form && <Voice state={state} />}
      {mode === 'text' && !isOver && !state.form && !state.hasConsented && <Consent />}
      {mode === 'text' && !isOver && !state.form && state.hasConsented && (
        <>
          <QuickActions />
          <Composer state={state} />
          {state.messages.length === 0 && <Notice />}
        </>
      )}
      {config.chat.logo_url && config.chat.avatar_url && (
        <img class="logo" src={config.chat.logo_url} alt="" />
      )}
    </footer>
  );
}

const FOCUSABLE =
  'a[href],button:not(:disabled),textarea:not(:disabled),input:not(:disabled),select:not(:disabled),[tabindex="0"]';

/** The window is a dialog: Tab on its last element returns to its first. */
function keepInside(root: HTMLElement, event: KeyboardEvent) {
  const all = root.querySelectorAll<HTMLElement>(FOCUSABLE);
  const edge = event.shiftKey ? all[0] : all[all.length - 1];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all[all.length - 1] : all[0])?.focus();
}
