/** A form in the transcript, which stays there until it is sent. */
import type { FormRequest } from '../conversation/window-state';
import { useSurface } from './context';
import { LazyForm } from './LazyForm';

export function FormCard({ request }: { request: FormRequest }) {
  const { session, strings } = useSurface();
  const { id, definition, status, isOwn } = request;
  const { forms } = session;
  if (status === 'open')
    return (
      <div class="card">
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
          takesFocus={isOwn}
        />
      </div>
    );
  return (
    <div class="card closed">
      <h2 dir="auto">{definition.title || definition.name}</h2>
      {status === 'later' ? (
        <button type="button" class="small" onClick={() => forms.reopen(id)}>
          {strings.fill_in}
        </button>
      ) : (
        <p>{status === 'sent' ? strings.form_sent : strings.unsent}</p>
      )}
    </div>
  );
}
