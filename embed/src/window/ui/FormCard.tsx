/** A form in the transcript, which stays there until it is sent. */
import { useRef } from 'preact/hooks';
import type { FormRequest } from '../conversation/window-state';
import { useSurface } from './context';
import { isWriting } from './focus';
import { LazyForm } from './LazyForm';

interface Props {
  request: FormRequest;
  /** The open form is drawn, and can be brought into sight. */
  onDrawn(card: HTMLElement): void;
}

export function FormCard({ request, onDrawn }: Props) {
  const { session, strings } = useSurface();
  const { id, definition, status, isOwn } = request;
  const { forms } = session;
  const card = useRef<HTMLDivElement>(null);
  if (status === 'open')
    return (
      <div class="card" ref={card}>
        <LazyForm
          id={id}
          definition={definition}
          earlier={forms.drafts.get(id) ?? {}}
          strings={strings}
          submitLabel={definition.submit_label || strings.submit}
          submit={(values) => forms.send(id, values)}
          keep={(values) => forms.saveDraft(id, values)}
          dismiss={() => forms.putOff(id)}
          dismissLabel={strings.later}
          takesFocus={isOwn && !isWriting()}
          onDrawn={() => card.current && onDrawn(card.current)}
        />
      </div>
    );
  return (
    <div class="card closed">
      {definition.title && <h2 dir="auto">{definition.title}</h2>}
      {status === 'later' ? (
        <button type="button" class="small" onClick={() => forms.reopen(id)}>
          {strings.fill_in}
        </button>
      ) : (
        <p>{status === 'sent' ? strings.form_sent : strings.unsent}</p>
      )}
      {status === 'unsent' && (
        <button type="button" class="small" onClick={() => session.continueForm(request)}>
          {strings.try_again}
        </button>
      )}
    </div>
  );
}
