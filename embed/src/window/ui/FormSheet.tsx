/** The forms before and after the conversation, in the place of the transcript. */
import { feedbackForm } from '../config';
import type { State } from '../conversation/window-state';
import { useSurface } from './context';
import { LazyForm } from './LazyForm';

export function FormSheet({ state }: { state: State }) {
  const { session, config, strings } = useSurface();
  return (
    <div class="sheet">
      {state.form ? (
        <LazyForm
          key="before"
          id="before"
          definition={state.form.definition}
          earlier={session.forms.drafts.get('before') ?? state.form.values}
          strings={strings}
          submitLabel={state.form.definition.submit_label || strings.continue}
          submit={async (values) => session.closeForm(values)}
          keep={(values) => session.forms.saveDraft('before', values)}
          dismiss={() => session.closeForm(null)}
          takesFocus
        />
      ) : (
        <LazyForm
          key="feedback"
          id="feedback"
          definition={feedbackForm(config, strings)}
          title={strings.feedback}
          strings={strings}
          submitLabel={config.post_conversation_feedback.form.submit_label || strings.submit}
          submit={(values) => session.submitFeedback(values)}
          takesFocus
        />
      )}
    </div>
  );
}
