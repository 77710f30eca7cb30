/** The whole window, drawn from one state. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isBlank, isHeldElsewhere, isPast, modeOf, type State } from '../conversation/window-state';
import { isTouch } from '../touch';
import { Banner } from './Banner';
import { closeOnBack } from './back';
import { Composer } from './Composer';
import { type Surface, SurfaceContext } from './context';
import { FormSheet } from './FormSheet';
import { focusNext, isComposing, isFocusLost } from './focus';
import { Header } from './Header';
import { Consent, MenuNote, type Note, Notice } from './Notice';
import { QuickActions } from './QuickActions';
import { Transcript } from './Transcript';
import { Voice } from './Voice';

export function App(surface: Surface) {
  const { session, close } = surface;
  const [state, setState] = useState<State>(session.state);
  const [note, showNote] = useState<Note | null>(null);
  const root = useRef<HTMLDivElement>(null);
  // In the layout phase: a plain effect would run later, and miss changes in between.
  useLayoutEffect(() => session.subscribe(setState), [session]);

  useEffect(() => {
    const element = root.current;
    if (!element || !state.isOpen) return;
    const takeFocus = () => focusNext(element, ['.voice button']);
    // A window that opened by itself after a page load leaves the focus on the page.
    if (document.hasFocus()) takeFocus();
    else window.addEventListener('focus', takeFocus, { once: true });
    const observer = new MutationObserver(() => isFocusLost() && focusNext(element));
    observer.observe(element, { childList: true, subtree: true });
    return () => {
      observer.disconnect();
      window.removeEventListener('focus', takeFocus);
    };
  }, [state.isOpen]);

  useEffect(() => {
    if (state.isOpen && isTouch()) return closeOnBack(close);
    return undefined;
  }, [state.isOpen, close]);

  useEffect(() => {
    // On the document: wherever the focus is, there is a way out.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !isComposing(event)) close();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [close]);

  // Typing changes the draft alone, and draws no turn again.
  const main = useMemo(
    () => (state.form ? <FormSheet form={state.form} /> : <Transcript state={state} />),
    Object.values({ ...state, draft: '' }),
  );

  return (
    <SurfaceContext.Provider value={surface}>
      <div
        ref={root}
        class={`window ${state.phase.name}`}
        role="dialog"
        aria-labelledby="title"
        // A click beside everything keeps the focus inside.
        tabIndex={-1}
        onKeyDown={(event) => {
          if (event.key === 'Tab' && root.current) keepInside(root.current, event);
        }}
      >
        <Header state={state} showNote={showNote} />
        {main}
        <Footer
          state={state}
          note={note && <MenuNote note={note} close={() => showNote(null)} />}
        />
      </div>
    </SurfaceContext.Provider>
  );
}

function Footer({ state, note }: { state: State; note: preact.ComponentChild }) {
  const { phase, form, hasConsented } = state;
  // Whoever is writing when the conversation ends keeps the input; sending begins another one.
  const wasWriting = useRef(state.draft !== '');
  if (!isPast(state)) wasWriting.current = state.draft !== '';
  const isOver = isPast(state) ? !wasWriting.current : phase.name === 'continued-elsewhere';
  const isVoice = modeOf(state) === 'voice';
  // The question of another tab's conversation comes first.
  const canTalk = !isOver && !form && (!isHeldElsewhere(state) || !hasConsented);
  return (
    <footer class="footer">
      {note}
      <Banner state={state} />
      {isVoice && !form && <Voice state={state} />}
      {canTalk && !hasConsented && <Consent />}
      {canTalk && hasConsented && (
        <>
          {!isVoice && !isPast(state) && <QuickActions />}
          <Composer state={state} />
        </>
      )}
      {hasConsented && (form || isBlank(state)) && !note && <Notice />}
    </footer>
  );
}

const FOCUSABLE =
  'a[href],button:not(:disabled,[tabindex="-1"]),textarea:not(:disabled),input:not(:disabled),select:not(:disabled),[tabindex="0"]';

/** The window is a dialog: Tab on its last element returns to its first. */
function keepInside(root: HTMLElement, event: KeyboardEvent) {
  const all = [...root.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    // A question covers the buttons of the heading.
    (each) => getComputedStyle(each).visibility === 'visible',
  );
  const [first, last] = [all[0], all.at(-1)];
  const { activeElement } = document;
  const isAtEdge = event.shiftKey
    ? activeElement === first || activeElement === root
    : activeElement === last;
  if (!isAtEdge) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}
